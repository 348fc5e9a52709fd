import { type ChildProcess, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { seededRng } from "../../src/base/rng.js";
import { isBuilt, runCli } from "../helpers/built-cli.js";
import { TINY } from "../helpers/tiny-models.js";
import { adapterBytes, ROWS } from "../helpers/tune-runs.js";

const root = mkdtempSync(join(tmpdir(), "gemma-tune-"));
const data = join(root, "data.jsonl");
const options = join(root, "options.json");
afterAll(() => rmSync(root, { recursive: true }));

const BACKEND = ["--backend", "reference"];
const folder = (name: string) => join(root, name);
const command = (name: string, ...more: string[]) => {
  const run = ["tune", "-m", TINY.gemma3, "--data", data, "--out", folder(name), "--config", options];
  return [...run, ...BACKEND, ...more];
};
const resume = (name: string) => ["tune", "--resume", folder(name), ...BACKEND];
const metrics = (name: string) =>
  existsSync(join(folder(name), "metrics.jsonl")) ? readFileSync(join(folder(name), "metrics.jsonl"), "utf8") : "";
const mount = (...args: string[]) => spawnSync("mount", args, { stdio: "ignore" }).status === 0;

/** Waits until a run has written so many steps. */
async function untilStep(name: string, step: number): Promise<void> {
  while (!metrics(name).includes(`"step":${step},"steps"`)) await sleep(10);
}

describe.skipIf(!isBuilt)("gemma tune", () => {
  let wholeMs = 0;
  beforeAll(async () => {
    writeFileSync(data, ROWS.map((row) => `${JSON.stringify(row)}\n`).join(""));
    const settings = { rank: 2, targets: ["q", "v"], batchExamples: 2, dropout: 0.1, maxSteps: 8, learningRate: 1e-2 };
    writeFileSync(options, JSON.stringify({ ...settings, checkpointEvery: 2, template: "none", heldOutCount: 2 }));
    const start = performance.now();
    const { code, stdout, stderr } = await runCli(command("whole"));
    expect([code, stdout, stderr]).toEqual([0, `${join(folder("whole"), "adapter")}\n`, expect.any(String)]);
    wholeMs = performance.now() - start;
    expect(stderr).toContain("6 examples, 43 tokens, 13 of them learned");
    expect(stderr).toMatch(/lora: \d[\d,]* parameters; 8 steps in 3 epochs of 43 tokens; about [\d.]+ [kM]B of memory/);
    expect(stderr).toMatch(/step 8 of 8 loss [\d.]+, \d+ tokens\/s, rate/);
  }, 60_000);

  test("killed at any moment and resumed, ends with the same bytes", async () => {
    const rng = seededRng(5);
    for (let i = 0; i < 3; i++) {
      const name = `killed-${i}`;
      const kill = (child: ChildProcess) =>
        void setTimeout(() => child.kill("SIGKILL"), (0.3 + 0.6 * rng.uniform()) * wholeMs);
      await runCli(command(name), { onStart: kill });
      if (existsSync(join(folder(name), "config.json"))) await runCli(resume(name), { onStart: kill });
      const isBegun = existsSync(join(folder(name), "config.json"));
      const { code, stderr } = await runCli(isBegun ? resume(name) : command(name));
      expect([code, stderr]).toEqual([0, expect.any(String)]);
      expect(adapterBytes(folder(name)).equals(adapterBytes(folder("whole")))).toBe(true);
    }
  }, 120_000);

  test("stops at Ctrl-C with 130, says how to go on, and goes on to the same bytes", async () => {
    const stop = async (child: ChildProcess) => {
      await untilStep("stopped", 3);
      child.kill("SIGINT");
    };
    const { code, stderr } = await runCli(command("stopped"), { onStart: (child) => void stop(child) });
    expect(code).toBe(130);
    expect(stderr).toContain("stopping; Ctrl-C again ends at once");
    expect(stderr).toMatch(/checkpoint .*step-00000\d\n.*stopped; go on with: gemma tune --resume .*stopped\n$/);
    expect(existsSync(join(folder("stopped"), "tune.lock"))).toBe(false);
    const { code: done, stdout } = await runCli([...resume("stopped"), "--json"]);
    expect(done).toBe(0);
    const events = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { type: string });
    expect(events[0]).toMatchObject({ type: "data" });
    expect(events.at(-1)).toMatchObject({ type: "end", path: join(folder("stopped"), "adapter"), steps: 8 });
    expect(adapterBytes(folder("stopped")).equals(adapterBytes(folder("whole")))).toBe(true);
  }, 60_000);

  test("one folder has one process", async () => {
    const second = async (child: ChildProcess) => {
      await untilStep("shared", 1);
      const { code, stderr } = await runCli(resume("shared"));
      child.kill("SIGKILL");
      expect([code, stderr]).toEqual([
        2,
        expect.stringContaining("must have one process that tunes in it, got a second one"),
      ]);
    };
    let other: Promise<void> = Promise.resolve();
    await runCli(command("shared", "--max-steps", "1000"), {
      onStart: (child) => {
        other = second(child);
      },
    });
    await other;
  }, 60_000);

  test("a full disk stops the run, with the last good checkpoint", async ({ skip }) => {
    const disk = folder("disk");
    mkdirSync(disk);
    skip(!mount("-t", "tmpfs", "-o", "size=300k", "tmpfs", disk), "this process may not mount a small disk");
    try {
      const run = join(disk, "run");
      const { code, stderr } = await runCli([
        ...command("unused"),
        "--out",
        run,
        "--keep-checkpoints",
        "100",
        "--checkpoint-every",
        "1",
      ]);
      expect([code, stderr]).toEqual([1, expect.stringContaining("no space left on the device")]);
      expect(stderr).toMatch(/hint: the last good checkpoint is .*step-\d+; make room, then gemma tune --resume/);
      const last = /the last good checkpoint is (\S+);/.exec(stderr)![1]!;
      expect(existsSync(join(last, "state.safetensors"))).toBe(true);
    } finally {
      spawnSync("umount", [disk]);
    }
  }, 60_000);

  test("tells every broken line with its number, and begins nothing", async () => {
    const broken = join(root, "broken.jsonl");
    writeFileSync(broken, '{"prompt":"a","completion":"b"}\n{"prompt":"a"}\nnothing\n');
    const { code, stderr } = await runCli([...command("unused").map((arg) => (arg === data ? broken : arg))]);
    expect(code).toBe(1);
    expect(stderr).toContain(`\n  ${broken}:2: `);
    expect(stderr).toContain(`\n  ${broken}:3: `);
    expect(existsSync(join(folder("unused"), "config.json"))).toBe(false);
  });

  test.each([
    [["tune", "--out", "x"], 2, "tune: --data is needed"],
    [["tune", "--data", "x.jsonl"], 2, "tune: --out is needed"],
    [["tune", "--resume", "x", "--rank", "4"], 2, "--resume goes on as the run began, got --rank beside it"],
    [["tune", "--resume", "nowhere"], 1, "config.json: must be there to go on"],
    [["tune", "--rank", "many"], 2, "must be a number"],
  ])("refuses %j", async (args, expected, message) => {
    const { code, stderr } = await runCli(args);
    expect([code, stderr]).toEqual([expected, expect.stringContaining(message)]);
  });

  test("refuses a folder with files", async () => {
    const { code, stderr } = await runCli(command("whole"));
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining(`hint: go on with the run there: gemma tune --resume ${folder("whole")}`),
    ]);
  });
});
