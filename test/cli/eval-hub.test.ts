import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseDatasetSpec } from "../../src/load/dataset-spec.js";
import { pullDatasets } from "../../src/load/pull-dataset.js";
import { SHIPPED_MODELS } from "../../src/load/shipped.js";
import { isBuilt, runCli } from "../helpers/built-cli.js";
import { startServer, testNet } from "../helpers/https-server.js";
import { COMMIT, fixtureHub, serveHub } from "../helpers/hub-server.js";
import { TINY } from "../helpers/tiny-models.js";

const home = mkdtempSync(join(tmpdir(), "gemma-eval-hub-"));
afterAll(() => rmSync(home, { recursive: true }));

const env = { GEMMA_HOME: home, GEMMA_OFFLINE: "1" };
const SOURCE = "hf:datasets/baber/piqa:validation";

/** The command line reaches public addresses alone: what it reads here was pulled from a server before. */
describe.skipIf(!isBuilt)("gemma eval without --data", () => {
  beforeAll(async () => {
    const server = await startServer(serveHub(fixtureHub()));
    const hub = { HOME: home, HF_ENDPOINT: `https://hub.example:${server.port}` };
    await pullDatasets([parseDatasetSpec(SOURCE)], { home, env: hub }, { net: () => testNet() });
    await server.close();
  });

  const evaluate = (tasks: string, ...more: string[]) =>
    runCli(
      ["eval", "-m", TINY.gemma3, "--backend", "reference", "--tasks", tasks, "--out", join(home, tasks), ...more],
      { env },
    );

  test("measures rows of the cache and records where they came from", async () => {
    for (const flags of [[], ["--data", "hf"]]) {
      const { code, stderr } = await evaluate("piqa", ...flags);
      expect([code, stderr]).toEqual([0, expect.any(String)]);
    }
    const run = JSON.parse(readFileSync(join(home, "piqa", "run.json"), "utf8"));
    expect(run.tasks[0].data).toEqual([
      {
        file: "piqa.jsonl of the hub",
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        rows: 2,
        sources: [`hf:datasets/baber/piqa@${COMMIT}:validation`],
      },
    ]);
  });

  test("what is not in the cache is named, with the command that fetches it", async () => {
    const { code, stderr } = await evaluate("siqa");
    expect(code).toBe(1);
    expect(stderr).toContain("gemma pull hf:datasets/lighteval/siqa:validation");
  });

  test("tuning reads Parquet, too, in its worker", async () => {
    const data = ["--data", SOURCE, "--columns", "prompt=goal,completion=sol1", "--template", "none"];
    const model = ["-m", TINY.gemma3, "--backend", "reference", "--rank", "1", "--max-steps", "1"];
    const { code, stderr } = await runCli(["tune", ...model, ...data, "--out", join(home, "tuned")], { env });
    expect([code, stderr]).toEqual([0, expect.stringContaining("2 examples")]);
  });

  test("pull checks it, list and rm know it", async () => {
    const pulled = await runCli(["pull", SOURCE, "--json"], { env });
    const { name, origin, paths } = JSON.parse(pulled.stdout);
    expect([origin, paths]).toEqual([
      `hf:datasets/baber/piqa@${COMMIT}:validation`,
      [expect.stringMatching(/\.parquet$/)],
    ]);
    const listed = async (...flags: string[]) =>
      JSON.parse((await runCli(["list", "--json", ...flags], { env })).stdout);
    expect(await listed()).toEqual({
      home,
      models: [],
      shipped: SHIPPED_MODELS.map(({ name }) => expect.objectContaining({ name })),
      tuned: [],
    });
    expect(await listed("--data")).toMatchObject({ datasets: [{ name, origin, verified: true }] });
    expect(await runCli(["rm", SOURCE], { env })).toMatchObject({ code: 0 });
    expect(await listed("--data")).toEqual({ home, datasets: [] });
  });
});
