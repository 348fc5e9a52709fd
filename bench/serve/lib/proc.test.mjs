import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { cpuMs, descriptors, memory, processTree } from "./proc.mjs";

describe.runIf(existsSync("/proc/self/status"))("of this process", () => {
  test("its memory and that of its children is counted", async () => {
    const alone = memory(process.pid);
    expect(alone.rssBytes).toBeGreaterThan(10e6);
    expect(alone.peakBytes).toBeGreaterThanOrEqual(alone.rssBytes);
    const child = spawn(process.execPath, ["-e", "console.log(1); setTimeout(() => {}, 20_000)"]);
    await new Promise((resolve) => child.stdout.once("data", resolve));
    expect(processTree(process.pid)).toContain(child.pid);
    expect(memory(process.pid).peakBytes).toBeGreaterThan(alone.peakBytes + 10e6);
    child.kill("SIGKILL");
    await new Promise((resolve) => child.once("exit", resolve));
    expect(processTree(process.pid)).not.toContain(child.pid);
  });

  test("CPU time is counted as the process itself counts it", () => {
    for (const end = performance.now() + 100; performance.now() < end; );
    const { user, system } = process.cpuUsage();
    expect(Math.abs(cpuMs(process.pid) - (user + system) / 1000)).toBeLessThan(60);
  });

  test("descriptors are counted", () => {
    expect(descriptors(process.pid)).toBeGreaterThan(3);
  });

  test("a process that has ended has none of it", () => {
    expect(memory(2 ** 30)).toEqual({ rssBytes: 0, peakBytes: 0 });
  });
});
