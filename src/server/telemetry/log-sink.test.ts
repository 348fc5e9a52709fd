import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { transpile } from "../../../test/helpers/transpile.js";
import { fileSink, LogSink, type WriteBytes } from "./log-sink.js";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gemma-log-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const failure = (code: string) => Object.assign(new Error(code), { code });

/** A destination that answers each write as the script says, then takes everything. */
function scripted(script: readonly (number | string)[]) {
  let text = "";
  let step = 0;
  const write: WriteBytes = (bytes, done) => {
    const answer = script[step++] ?? bytes.length;
    if (typeof answer === "string") return void setImmediate(() => done(failure(answer), 0));
    text += Buffer.from(bytes.subarray(0, answer)).toString();
    setImmediate(() => done(null, Math.min(answer, bytes.length)));
  };
  return { sink: new LogSink(write), read: () => text };
}

test("log file: lines are added, and only its owner may read it", async () => {
  const path = join(folder, "log");
  for (const line of ["one\n", "two\n"]) {
    const sink = await fileSink(path);
    sink.write(line);
    expect(await sink.close()).toBe(true);
    expect(sink.dropped).toBe(0);
  }
  expect(readFileSync(path, "utf8")).toBe("one\ntwo\n");
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("log file: one that cannot be opened is told", async () => {
  await expect(fileSink(join(folder, "no", "log"))).rejects.toMatchObject({ code: "ERR_MISSING_FILE" });
  await expect(fileSink(folder)).rejects.toMatchObject({ code: "ERR_IO" });
});

test.skipIf(!existsSync("/dev/full"))("log file: a full disk drops lines and counts them", async () => {
  const sink = await fileSink("/dev/full");
  for (let i = 0; i < 50; i++) sink.write(`line ${i}\n`);
  await sink.close();
  expect(sink.dropped).toBe(50);
});

test.each(["ENOSPC", "EPIPE", "EIO"])("sink: %s loses the lines of that write and no others", async (code) => {
  const { sink, read } = scripted([code]);
  sink.write("lost\n");
  sink.write("kept\n");
  sink.write("kept too\n");
  expect(await sink.close()).toBe(true);
  expect(read()).toBe("kept\nkept too\n");
  expect(sink.dropped).toBe(1);
});

test("sink: a line that was cut ends before the next one begins", async () => {
  const { sink, read } = scripted([3, "ENOSPC"]);
  sink.write("a long line\n");
  sink.write("next\n");
  await sink.close();
  expect(read()).toBe("a l\nnext\n");
  expect(sink.dropped).toBe(1);
});

test("sink: cut twice, and behind a line break", async () => {
  const { sink, read } = scripted([1, "EIO", "EIO", 5, "EIO"]);
  for (const line of ["1111\n", "2222\n"]) sink.write(line);
  await new Promise((resolve) => setTimeout(resolve, 20));
  for (const line of ["3333\n", "4444\n"]) sink.write(line);
  await sink.close();
  expect(read()).toBe("1\n3333\n4444\n");
  expect(sink.dropped).toBe(3);
});

test("sink: a busy destination is tried again", async () => {
  const { sink, read } = scripted(["EAGAIN", 2, "EAGAIN"]);
  sink.write("line\n");
  expect(await sink.close()).toBe(true);
  expect(read()).toBe("line\n");
  expect(sink.dropped).toBe(0);
});

test("sink: one that takes nothing holds a bounded amount, the rest is dropped, and closing gives up", async () => {
  const sink = new LogSink(() => {});
  const line = `${"x".repeat(1023)}\n`;
  for (let i = 0; i < 3000; i++) sink.write(line);
  expect(sink.dropped).toBe(3000 - 1024);
  expect(await sink.close(20)).toBe(false);
});

describe("standard error of a process", () => {
  let code = "";
  beforeAll(() => {
    code = transpile(["base", "server/telemetry"]);
    writeFileSync(
      join(code, "logging.js"),
      `import { stderrSink } from "./server/telemetry/log-sink.js";
       const sink = stderrSink();
       const line = "x".repeat(1023) + "\\n";
       const before = performance.now();
       for (let i = 0; i < 2000; i++) sink.write(line);
       const writeMs = performance.now() - before;
       const all = await sink.close(200);
       console.log(JSON.stringify({ all, writeMs, dropped: sink.dropped }));
       process.exit(0);`,
    );
  });
  afterAll(() => rmSync(code, { recursive: true, force: true }));

  /** Runs it with standard error as given, where nobody reads. */
  async function run(stderr: number | "pipe", onStart: (child: ChildProcess) => void = () => {}) {
    const stdio: StdioOptions = ["ignore", "pipe", stderr];
    const child = spawn(process.execPath, [join(code, "logging.js")], { stdio });
    onStart(child);
    let stdout = "";
    child.stdout!.on("data", (chunk) => {
      stdout += chunk;
    });
    const [exit] = await once(child, "exit");
    return { exit, ...(JSON.parse(stdout) as { all: boolean; writeMs: number; dropped: number }) };
  }

  test("a pipe that nobody reads holds up neither the process nor its end", async () => {
    const { exit, all, writeMs, dropped } = await run("pipe");
    expect(exit).toBe(0);
    expect(all).toBe(false);
    expect(writeMs).toBeLessThan(1000);
    expect(dropped).toBeGreaterThan(900);
  });

  test("a pipe whose reader has gone loses all lines and nothing else", async () => {
    const { exit, dropped } = await run("pipe", (child) => child.stderr!.destroy());
    expect(exit).toBe(0);
    expect(dropped).toBeGreaterThan(1900);
  });

  test("a file gets every line that fits", async () => {
    const path = join(folder, "log");
    const fd = openSync(path, "w");
    const { exit, all, dropped } = await run(fd);
    closeSync(fd);
    expect({ exit, all }).toEqual({ exit: 0, all: true });
    expect(statSync(path).size).toBe((2000 - dropped) * 1024);
    expect(dropped).toBeLessThan(1000);
  });

  test.skipIf(!existsSync("/dev/full"))("a full disk loses all lines and nothing else", async () => {
    const fd = openSync("/dev/full", "w");
    const { exit, dropped } = await run(fd);
    closeSync(fd);
    expect({ exit, dropped }).toEqual({ exit: 0, dropped: 2000 });
  });
});
