import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { seededRng } from "../../src/base/rng.js";
import { isBuilt, runCli } from "../helpers/built-cli.js";
import { TINY } from "../helpers/tiny-models.js";

const ITEMS = 60;
const ACTS = ["pour", "fold", "press", "warm", "cut", "turn", "lift"];

const root = mkdtempSync(join(tmpdir(), "gemma-eval-"));
const data = join(root, "data");
const empty = mkdtempSync(join(root, "empty-"));
afterAll(() => rmSync(root, { recursive: true }));

const items = Array.from({ length: ITEMS }, (_, i) => ({
  id: `own-${i}`,
  question: `${ACTS[i % 7]} ${i}?`,
  choices: [`${ACTS[(i + 2) % 7]} it`, `${ACTS[(i + 3) % 7]} it ${i} times`],
  answer: i % 2,
}));
const lines = items.map((item) => `${JSON.stringify(item)}\n`);

function command(out: string, ...more: string[]): string[] {
  const model = ["-m", TINY.gemma3, "--backend", "reference", "--activations", "f32"];
  return ["eval", ...model, "--tasks", "piqa", "--data", data, "--out", join(root, out), ...more];
}

const mount = (...args: string[]) => spawnSync("mount", args, { stdio: "ignore" }).status === 0;
const file = (out: string, name: string) => readFileSync(join(root, out, name), "utf8");
/** Of the lines that are whole. */
const recordsOf = (out: string) =>
  file(out, "items.jsonl")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as { id: string });

describe.skipIf(!isBuilt)("gemma eval", () => {
  beforeAll(async () => {
    mkdirSync(data);
    writeFileSync(join(data, "piqa.jsonl"), lines.join(""));
    const { code, stderr } = await runCli(command("whole"));
    expect([code, stderr]).toEqual([0, expect.any(String)]);
  }, 120_000);

  test("writes header, records and results, and prints them", async () => {
    const { code, stdout } = await runCli(command("whole", "--json"));
    expect(code).toBe(0);
    const results = JSON.parse(file("whole", "results.json"));
    expect(JSON.parse(stdout)).toEqual({ run: join(root, "whole"), ...results });
    expect(results.tasks).toMatchObject([{ task: "piqa", n: ITEMS, metric: "acc_norm" }]);
    expect(JSON.parse(file("whole", "run.json"))).toMatchObject({
      model: { sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      settings: { backend: "reference", activations: "f32", seed: 0 },
      tasks: [{ task: "piqa", shots: 0, data: [{ file: "piqa.jsonl", rows: ITEMS }] }],
      machines: [{ runtime: `Node ${process.versions.node}`, cpu: expect.any(String), threads: expect.any(Number) }],
    });
    const [first] = recordsOf("whole");
    expect(Object.keys(first!)).toEqual(
      expect.arrayContaining(["task", "id", "context", "continuations", "logprobs", "prediction", "predictionNorm"]),
    );
    expect(new Set(recordsOf("whole").map(({ id }) => id)).size).toBe(ITEMS);
  });

  test("killed at three moments and resumed: the same results, byte for byte", { timeout: 120_000 }, async () => {
    const seed = Number(process.env.GEMMA_SEED ?? 1);
    console.info(`seed ${seed}; GEMMA_SEED repeats it`);
    const rng = seededRng(seed);
    for (const [i, share] of [0.1, rng.uniform(), rng.uniform()].entries()) {
      const out = `killed-${i}`;
      const enough = Math.max(1, Math.floor(share * statSync(join(root, "whole", "items.jsonl")).size * 0.6));
      const killed = await runCli(command(out), {
        onStart: (child) => {
          const timer = setInterval(() => {
            const size = statSync(join(root, out, "items.jsonl"), { throwIfNoEntry: false })?.size ?? 0;
            if (size >= enough) child.kill("SIGKILL");
          }, 1);
          child.on("close", () => clearInterval(timer));
        },
      });
      expect(killed.code).toBe(null);
      const before = recordsOf(out).length;
      expect(before).toBeLessThan(ITEMS);
      const { code, stderr } = await runCli(command(out));
      expect([code, stderr]).toEqual([0, expect.stringContaining(`goes on behind `)]);
      expect(recordsOf(out)).toHaveLength(ITEMS);
      expect(file(out, "results.json")).toBe(file("whole", "results.json"));
    }
  });

  test("examples are left out where they do not fit, if that is asked for", { timeout: 60_000 }, async () => {
    const fitted = (...more: string[]) =>
      runCli(command("fit", "--shots", "4", "--limit", "3", "--ctx", "48", ...more));
    expect(await fitted()).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("--fit-shots leaves out examples"),
    });
    const { code, stdout } = await fitted("--fit-shots");
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/3 items have fewer examples, down to \d, to fit a context/),
    ]);
    expect(JSON.parse(file("fit", "run.json"))).toMatchObject({ settings: { fitShots: true, shots: 4 } });
  });

  test("a full disk is told, and the run goes on once there is room", { timeout: 60_000 }, async ({ skip }) => {
    const disk = join(root, "disk");
    mkdirSync(disk);
    const isMounted = mount("-t", "tmpfs", "-o", "size=64k", "tmpfs", disk);
    skip(!isMounted, "a small disk can be mounted by root alone");
    try {
      writeFileSync(join(disk, "ballast"), Buffer.alloc(44 << 10));
      const full = await runCli(command("disk/run"));
      expect(full).toMatchObject({ code: 1, stderr: expect.stringContaining("no space left on the device") });
      expect(full.stderr).toMatch(/has \d+ of 60 items; the same command goes on from there/);
      rmSync(join(disk, "ballast"));
      mount("-o", "remount,size=1m", disk);
      expect(await runCli(command("disk/run"))).toMatchObject({ code: 0 });
      expect(file("disk/run", "results.json")).toBe(file("whole", "results.json"));
    } finally {
      spawnSync("umount", [disk]);
    }
  });

  test("Ctrl-C saves what there is and says how to go on", { timeout: 60_000 }, async () => {
    const { code, stderr } = await runCli(command("interrupted"), {
      onStart: (child) => {
        const timer = setInterval(() => {
          if (!statSync(join(root, "interrupted", "items.jsonl"), { throwIfNoEntry: false })?.size) return;
          clearInterval(timer); // a second one would quit at once
          child.kill("SIGINT");
        }, 1);
        child.on("close", () => clearInterval(timer));
      },
    });
    expect(code).toBe(130);
    expect(stderr).toMatch(/has \d+ of 60 items; the same command goes on from there/);
    expect((await runCli(command("interrupted"))).code).toBe(0);
    expect(file("interrupted", "results.json")).toBe(file("whole", "results.json"));
  });

  test("other settings do not mix with a run", async () => {
    const { code, stderr } = await runCli(command("whole", "--seed", "5"));
    expect([code, stderr]).toEqual([2, expect.stringContaining("settings.seed: 0, now 5")]);
  });

  test("only the items asked for", async () => {
    const ids = join(root, "ids.txt");
    writeFileSync(ids, "own-7\r\n\nown-3\n");
    const { code, stdout } = await runCli(command("some", "--items", ids));
    expect([code, stdout]).toEqual([0, expect.stringContaining("2 of the file's 60 items.")]);
    expect(
      recordsOf("some")
        .map(({ id }) => id)
        .sort(),
    ).toEqual(["own-3", "own-7"]);
    writeFileSync(ids, "own-7\nown-99\n");
    expect((await runCli(command("none", "--items", ids))).stderr).toContain("got own-99");
  });

  test("broken lines stop it, or are left out and counted", async () => {
    const broken = join(root, "broken");
    mkdirSync(broken);
    const bad = JSON.stringify({ ...items[3], answer: 2 });
    writeFileSync(join(broken, "piqa.jsonl"), [...lines.slice(0, 3), "{\n", `${bad}\n`].join(""));
    const path = join(broken, "piqa.jsonl");
    const run = (...more: string[]) => runCli([...command("broken-run", ...more), "--data", broken]);
    expect(await run()).toMatchObject({ code: 1, stderr: expect.stringContaining(`${path}:4: `) });
    const { code, stdout, stderr } = await run("--skip-bad");
    expect(code).toBe(0);
    expect(stderr).toContain(`${path}:5: own-3: answer must be an integer in 0..1, got 2`);
    expect(stdout).toContain("(3 items)");
    expect(stdout).toContain("2 broken lines are left out.");
  });

  test.each([
    ["an unknown task", ["--tasks", "pica"], 2, "did you mean piqa?"],
    ["no data", ["--data", join(root, "nowhere")], 1, "nowhere: no such folder"],
    ["an empty folder", ["--data", empty], 1, "piqa.jsonl: no such file"],
    ["shots that there are not", ["--shots", "100"], 1, "piqa: shots must be at most"],
    ["a context that is too small", ["--ctx", "8"], 1, "must fit a context of 8 tokens"],
  ])("%s", async (_, args, code, message) => {
    expect(await runCli(command("bad", ...args))).toMatchObject({ code, stderr: expect.stringContaining(message) });
  });

  test("what is missing is said", async () => {
    expect(await runCli(["eval"])).toMatchObject({ code: 2, stderr: expect.stringContaining("--tasks is needed") });
  });
});
