import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { safetensorsHeader } from "../../src/format/safetensors-write.js";
import { maxDifference, openGolden } from "../golden.js";
import { isBuilt, runCli } from "../helpers/built-cli.js";
import { TINY } from "../helpers/tiny-models.js";
import { tokenizerLines } from "../tiny-spm.js";

const fixture = (path: string) => fileURLToPath(new URL(`../fixtures/${path}`, import.meta.url));
const MODEL = ["-m", TINY.gemma3, "--backend", "reference"];
const GREEDY = [...MODEL, "-t", "0", "-n", "12"];

const jsonLines = (text: string) =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

describe.skipIf(!isBuilt)("commands that load a model", () => {
  const folder = mkdtempSync(join(tmpdir(), "gemma-commands-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  test("run: the same text as words and as JSON, from an argument and from standard input", async () => {
    const [plain, json] = await Promise.all([
      runCli(["run", ...GREEDY, "abc"]),
      runCli(["run", ...GREEDY, "--json", "--logprobs", "2"], { input: "abc\n" }),
    ]);
    expect(json).toMatchObject({ code: 0, stderr: "" });
    const result = JSON.parse(json.stdout);
    expect(plain).toEqual({ code: 0, stdout: `${result.text}\n`, stderr: "" });
    expect(result).toMatchObject({ finishReason: "length", timings: { promptTokens: 4, generatedTokens: 12 } });
    expect(result.ids).toHaveLength(12);
    expect(result.logprobs.map((entry: { id: number }) => entry.id)).toEqual(result.ids);
    expect(result.logprobs[0].top).toHaveLength(2);
  });

  test("run --ids takes ids as they are, and gives the reference's greedy continuation", async () => {
    const golden = openGolden(fixture("gguf/models/gemma3.expected.safetensors"));
    const ids = golden.ids("p2.input_ids");
    // Where the reference's best two logits are closer than rounding, either may win.
    const margins = golden.floats("q8_0.p2.greedy_margin");
    const clear = margins.findIndex((margin) => margin < 1e-3);
    const length = clear === -1 ? margins.length : clear;
    const args = ["--json", "-t", "0", "-n", String(length), "--activations", "f32", "--ids", JSON.stringify(ids)];
    const { code, stdout } = await runCli(["run", ...MODEL, ...args]);
    expect(code).toBe(0);
    expect(length).toBeGreaterThan(4);
    expect(JSON.parse(stdout).ids).toEqual(golden.ids("q8_0.p2.greedy").slice(0, length));
  });

  test("chat: an answer for each line, the note on what the model is, JSON lines alone with --json", async () => {
    const input = "hello\n\nand you?\n/bye\nnot read\n";
    const [plain, json] = await Promise.all([
      runCli(["chat", ...GREEDY], { input }),
      runCli(["chat", ...GREEDY, "--json"], { input }),
    ]);
    expect(json).toMatchObject({ code: 0, stderr: "" });
    const answers = jsonLines(json.stdout);
    expect(answers).toHaveLength(2);
    expect(answers[1].timings.promptTokens).toBeGreaterThan(answers[0].timings.promptTokens);
    expect(plain.code).toBe(0);
    expect(plain.stdout).toBe(answers.map(({ text }) => `${text.trimStart()}\n`).join(""));
    expect(plain.stderr).toMatch(/^[^\n]+ is pre-trained, not tuned for dialogue: [^\n]+\n$/);
  });

  test("score: log-probabilities and logits are the reference implementation's", async () => {
    const golden = openGolden(fixture("tiny/gemma3/expected.safetensors"));
    const ids = golden.ids("p2.input_ids");
    const logits = join(folder, "logits.safetensors");
    const args = ["--json", "--activations", "f32", "--top", "3", "--logits", logits];
    const input = `${JSON.stringify({ ids })}\n\n${JSON.stringify({ ids: ids.slice(0, 3) })}\n`;
    const model = ["-m", fixture("tiny/gemma3"), "--backend", "reference"];
    const { code, stdout, stderr } = await runCli(["score", ...model, ...args], { input });
    expect([code, stderr]).toEqual([0, ""]);
    const [line, short] = jsonLines(stdout);
    const expected = golden.floats("p2.logits");
    const V = golden.shape("p2.logits")[1]!;
    const written = openGolden(logits);
    expect(written.shape("logits.0")).toEqual([ids.length, V]);
    expect(maxDifference(written.floats("logits.0"), expected)).toBeLessThan(1e-3);
    expect(maxDifference(written.floats("logits.1"), expected.slice(0, 3 * V))).toBeLessThan(1e-3);
    const wanted = ids.slice(1).map((id, t) => {
      const row = expected.subarray(t * V, (t + 1) * V);
      return row[id]! - Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0));
    });
    expect(line.ids).toEqual(ids);
    expect(line.logprobs[0]).toBeNull();
    expect(maxDifference(line.logprobs.slice(1), wanted)).toBeLessThan(1e-3);
    expect(line.top[1]).toHaveLength(3);
    expect(short.logprobs).toEqual(line.logprobs.slice(0, 3));
  });

  test("score --json: a line is answered before the next is written", async () => {
    const model = ["-m", fixture("tiny/gemma3"), "--backend", "reference"];
    const { code, stdout } = await runCli(["score", ...model, "--json"], {
      input: '{"ids":[2,5]}\n',
      holdInput: true,
      onStart: ({ stdin, stdout: answers }) => answers?.once("data", () => stdin?.end('{"ids":[2,6]}\n')),
    });
    expect(code).toBe(0);
    expect(jsonLines(stdout).map(({ ids }) => ids)).toEqual([
      [2, 5],
      [2, 6],
    ]);
  });

  test("tokenize --json: SentencePiece's ids, line by line, without BOS", async () => {
    const cases = tokenizerLines<{ text: string; ids: number[] }>("tiny-spm/cases.jsonl");
    const input = cases.map(({ text }) => `${JSON.stringify({ text })}\n`).join("");
    const tokenizer = fixture("tokenizer/tiny-spm/tokenizer.model");
    const { code, stdout, stderr } = await runCli(["tokenize", "--json", "-m", tokenizer], { input });
    expect([code, stderr]).toEqual([0, ""]);
    expect(jsonLines(stdout)).toEqual(cases.map(({ ids }) => ({ ids })));
  });

  test("bench --json: the measurements by their stable names", async () => {
    const { code, stdout, stderr } = await runCli([
      "bench",
      ...MODEL,
      "--json",
      "--prefill",
      "8",
      "--decode",
      "4",
      "--repeat",
      "1",
    ]);
    expect([code, stderr]).toEqual([0, ""]);
    const { backend, isa, headIsScreened, ...numbers } = JSON.parse(stdout);
    expect([backend, isa, headIsScreened]).toEqual(["reference", "js", false]);
    const names = ["loadMs", "timeToFirstTokenMs", "prefillTokensPerSecond", "decodeTokensPerSecond", "peakRssBytes"];
    expect(Object.keys(numbers).sort()).toEqual([...names, "threads"].sort());
    for (const value of Object.values(numbers)) expect(value).toBeGreaterThan(0);
  });

  test("inspect: what a model is, has and needs", async () => {
    const [json, plain] = await Promise.all([
      runCli(["inspect", "--json", TINY.gemma3, "--ctx", "64", "--kv", "f32"]),
      runCli(["inspect", TINY.adapter, "--base", fixture("tiny/gemma3")]),
    ]);
    expect(json).toMatchObject({ code: 0, stderr: "" });
    const report = JSON.parse(json.stdout);
    expect(report).toMatchObject({ kind: "model", format: "gguf", path: TINY.gemma3, tokenizer: { tokens: 768 } });
    expect(report.metadata["general.architecture"]).toBe("gemma3");
    expect(report.metadata["tokenizer.ggml.tokens"]).toEqual({ length: 768 });
    expect(report.config).toMatchObject({ generation: 3, vocabSize: 768, numHiddenLayers: 7 });
    expect(report.tensors).toContainEqual(
      expect.objectContaining({ name: "token_embd.weight", dtype: "Q8_0", shape: [768, 64] }),
    );
    const { contextLength, kv, weightsBytes, kvBytes, scratchBytes, totalBytes } = report.memory;
    expect([contextLength, kv, totalBytes]).toEqual([64, "f32", weightsBytes + kvBytes + scratchBytes]);
    expect(plain).toMatchObject({ code: 0, stderr: "" });
    expect(plain.stdout).toMatch(/^adapter \(safetensors\) /);
  });

  test("inspect: a container of very many tensors", async () => {
    const count = 200_000;
    const path = join(folder, "many.safetensors");
    const entries = Array.from({ length: count }, (_, i) => ({ name: `t${i}`, dtype: "U8", shape: [1] }));
    writeFileSync(path, Buffer.concat([safetensorsHeader(entries), Buffer.alloc(count)]));
    const { code, stdout, stderr } = await runCli(["inspect", path]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("t199999 ");
  });

  test("doctor --json: exit 0 exactly where a backend is chosen by default", async () => {
    const { code, stdout } = await runCli(["doctor", "--json"], { env: { HTTPS_PROXY: "http://me:hunter2@p:1" } });
    const report = JSON.parse(stdout);
    expect(code).toBe(report.usable ? 0 : 1);
    expect(report.backends.map((backend: { name: string }) => backend.name)).toEqual([
      ...["native", "wasm", "webgpu", "reference"],
    ]);
    expect(report.memory.freeBytes).toBeGreaterThan(0);
    expect(report.memory.freeBytes).toBeLessThanOrEqual(report.memory.limitBytes);
    expect(report.network.proxies).toContainEqual({ name: "HTTPS_PROXY", value: "http://***@p:1" });
    expect(stdout).not.toContain("hunter2");
  });

  test("Ctrl-C during an answer: exit 130, and what was printed stays", async () => {
    const { code, stdout, stderr } = await runCli(["run", ...MODEL, "-t", "0", "-n", "4000", "abc"], {
      onStart: (child) => child.stdout?.once("data", () => child.kill("SIGINT")),
    });
    expect([code, stderr]).toEqual([130, ""]);
    expect(stdout.length).toBeGreaterThan(1);
  });

  test("Ctrl-C during an answer of a chat that no terminal leads ends it: exit 130, and no further answer", async () => {
    const { code, stdout } = await runCli(["chat", ...MODEL, "-t", "0", "-n", "4000"], {
      input: "abc\ndef\n",
      holdInput: true,
      onStart: (child) => child.stdout?.once("data", () => child.kill("SIGINT")),
    });
    expect(code).toBe(130);
    expect(stdout.trim().length).toBeGreaterThan(0);
  });

  test("Ctrl-C while more input is awaited: exit 130", async () => {
    const { code, stdout, stderr } = await runCli(["tokenize", "--json", "-m", TINY.gemma3], {
      input: '{"text":""}\n',
      holdInput: true,
      onStart: (child) => child.stdout?.once("data", () => child.kill("SIGINT")),
    });
    expect([code, stdout, stderr]).toEqual([130, '{"ids":[]}\n', ""]);
  });

  test("a reader that closes the pipe during an answer ends it quietly", async () => {
    const { code, stderr } = await runCli(["run", ...MODEL, "-t", "0", "-n", "4000", "abc"], {
      onStart: (child) => child.stdout?.once("data", () => child.stdout?.destroy()),
    });
    expect([code, stderr]).toEqual([0, ""]);
  });
});
