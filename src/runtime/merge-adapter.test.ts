import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { TINY } from "../../test/helpers/tiny-models.js";
import { chatTemplate, dialogueOf } from "../load/dialogue.js";
import { openCheckpoint } from "../load/open.js";
import { readFloats } from "../model/weights.js";
import { GEMMA_TEMPLATE } from "../tokenizer/gemma-template.js";
import { Gemma } from "./gemma.js";
import { mergeAdapter } from "./merge-adapter.js";

const scratch = mkdtempSync(join(tmpdir(), "gemma-merge-"));
afterAll(() => rmSync(scratch, { recursive: true }));
const target = (name: string) => join(scratch, name);

const HF_BASE = fileURLToPath(new URL("../../test/fixtures/tiny/gemma3", import.meta.url));
const EXACT = { backend: "reference", activations: "f32", inProcess: true, contextLength: 256 } as const;
const IDS = [2, 71, 300, 12, 500, 44, 9, 64];

describe("mergeAdapter", () => {
  it.each([
    ["a GGUF file", "gemma3.f32.gguf", 7, TINY.gemma3, TINY.adapter],
    ["a folder", "gemma3.folder", 7, TINY.gemma3, TINY.adapter],
    ["a folder of Gemma 1", "gemma1.folder", 2, TINY.gemma1, TINY.adapter1],
  ] as const)("%s has the logits of base and adapter", async (_, name, layers, base, adapter) => {
    const result = await mergeAdapter(base, adapter, target(name), { dtype: "F32" });
    expect(result).toMatchObject({ path: target(name), mergedMatrices: 7 * layers });
    const apart = await logits(base, adapter);
    const merged = await logits(target(name));
    expect(largestDifference(merged, apart)).toBeLessThan(1e-3);
    expect(largestDifference(merged, await logits(base))).toBeGreaterThan(0.1);
  });

  it.each([
    ["a GGUF file's copy", "templated.gguf", TINY.gemma3],
    ["a GGUF file's folder", "templated.folder", TINY.gemma3],
    ["a folder's copy", "templated.copy", HF_BASE],
    ["a folder's GGUF file", "templated-converted.gguf", target("plain")],
  ])("%s has the adapter's chat template, where the base has none", async (_, name, base) => {
    if (base === target("plain")) await mergeAdapter(TINY.gemma3, TINY.adapter, base); // HF_BASE has no tokenizer
    const adapter = target(`${name}-adapter`);
    cpSync(TINY.adapter, adapter, { recursive: true });
    writeFileSync(join(adapter, "chat_template.jinja"), GEMMA_TEMPLATE);
    await mergeAdapter(base, adapter, target(name));
    const [before, merged] = [openCheckpoint(base), openCheckpoint(target(name))];
    expect([dialogueOf(before).kind, chatTemplate(merged)]).toEqual(["none", GEMMA_TEMPLATE]);
    before.close();
    merged.close();
  });

  // What PEFT 0.21.2 has merged (merge_and_unload, f32): some elements of layer 0, [row, column, value].
  it.each([
    [
      "wDown",
      [
        [37, 53, 0.07981424778699875],
        [10, 106, 0.2017594426870346],
        [47, 159, -0.12387099862098694],
      ],
    ],
    [
      "wq",
      [
        [37, 53, -0.21568231284618378],
        [74, 42, 0.27354615926742554],
        [111, 31, 0.09172941744327545],
      ],
    ],
  ] as const)("merges %s as PEFT does", async (name, elements) => {
    await mergeAdapter(HF_BASE, TINY.adapter, target("peft"), { replace: true });
    const merged = openCheckpoint(target("peft"));
    const tensor = merged.tensors.find((candidate) => candidate.name === name && candidate.layer === 0)!;
    const values = readFloats(tensor);
    for (const [row, column, value] of elements) {
      expect(Math.abs(values[row * tensor.shape[1]! + column]! - value)).toBeLessThan(1e-7);
    }
    merged.close();
  });

  it("a folder's own tensors, files and names stay as they are", async () => {
    await mergeAdapter(HF_BASE, TINY.adapter, target("hf"));
    expect(readFileSync(target("hf/config.json"))).toEqual(readFileSync(join(HF_BASE, "config.json")));
    const [before, after] = [openCheckpoint(HF_BASE), openCheckpoint(target("hf"))];
    expect(after.tensors.map(({ info, dtype }) => [info.name, dtype])).toEqual(
      before.tensors.map(({ info, dtype }) => [info.name, dtype]),
    );
    const norm = before.tensors.findIndex((tensor) => tensor.name === "qNorm");
    expect(readFloats(after.tensors[norm]!)).toEqual(readFloats(before.tensors[norm]!));
    before.close();
    after.close();
  });

  it("of a GGUF file, metadata and untouched tensors are copied byte for byte", async () => {
    await mergeAdapter(TINY.gemma3, TINY.adapter, target("copy.gguf"));
    const [before, after] = [openCheckpoint(TINY.gemma3), openCheckpoint(target("copy.gguf"))];
    expect([...after.metadata]).toEqual([...before.metadata]);
    expect([...after.allTensors.keys()]).toEqual([...before.allTensors.keys()]);
    for (const [i, { name, info }] of before.tensors.entries()) {
      const copy = after.tensors[i]!.info;
      expect(copy.dtype).toBe(info.dtype);
      if (/^w[A-Zqkvo]/.test(name)) continue;
      expect(
        Buffer.compare(copy.source.read(copy.offset, copy.sizeBytes), info.source.read(info.offset, info.sizeBytes)),
      ).toBe(0);
    }
    before.close();
    after.close();
  });

  it("Q8_0 and BF16 are near the adapter's logits", async () => {
    const apart = await logits(TINY.gemma3, TINY.adapter);
    for (const dtype of ["Q8_0", "BF16"] as const) {
      await mergeAdapter(TINY.gemma3, TINY.adapter, target("near.gguf"), { dtype, replace: true });
      expect(largestDifference(await logits(target("near.gguf")), apart)).toBeLessThan(1); // the adapter moves them by 20;
    }
  });

  it("a folder with a tokenizer becomes a GGUF file with the same tokens, and back", async () => {
    await mergeAdapter(TINY.gemma3, TINY.adapter, target("there"), { dtype: "F32" });
    await mergeAdapter(target("there"), TINY.adapter, target("back.gguf"));
    await using first = await Gemma.load(TINY.gemma3, EXACT);
    await using there = await Gemma.load(target("there"), EXACT);
    await using back = await Gemma.load(target("back.gguf"), EXACT);
    const text = "The  quick\nbrown fox, 12é 漢字!";
    const ids = await first.encode(text);
    expect(await there.encode(text)).toEqual(ids);
    expect(await back.encode(text)).toEqual(ids);
    expect(there.info.config).toEqual({ ...first.info.config, rmsNormEps: 1e-6 });
    expect(back.info.config).toEqual({ ...first.info.config, eosTokenIds: [1, 5] }); // with the end of a turn
  });

  it("refuses a target that exists, unless it may replace it", async () => {
    mkdirSync(target("there-already"));
    writeFileSync(target("there-already/x"), "x");
    const merge = (replace: boolean) => mergeAdapter(TINY.gemma3, TINY.adapter, target("there-already"), { replace });
    await expect(merge(false)).rejects.toThrow(expect.objectContaining({ code: "ERR_USAGE" }));
    await merge(true);
    expect(readdirSync(target("there-already"))).toContain("model.safetensors");
    expect(readdirSync(target("there-already"))).not.toContain("x");
  });

  it("takes a name with a slash at its end", async () => {
    await mergeAdapter(TINY.gemma3, TINY.adapter, `${target("slash")}/`);
    await mergeAdapter(TINY.gemma3, TINY.adapter, `${target("slash")}/`, { replace: true });
    expect(readdirSync(target("slash"))).toContain("model.safetensors");
  });

  it("does not replace what it reads", async () => {
    cpSync(TINY.adapter, target("run/adapter"), { recursive: true });
    cpSync(TINY.gemma3, target("base.gguf"));
    for (const out of ["run", "run/adapter", "base.gguf"]) {
      const merging = mergeAdapter(target("base.gguf"), target("run/adapter"), target(out), { replace: true });
      await expect(merging).rejects.toThrow(/must be another place than what is merged/);
    }
    expect(readdirSync(target("run/adapter"))).toContain("adapter_config.json");
  });

  it.each(["cut.gguf", "cut"])("leaves nothing of %s when it is aborted", async (name) => {
    const controller = new AbortController();
    const before = readdirSync(scratch);
    const merging = mergeAdapter(TINY.gemma3, TINY.adapter, target(name), {
      signal: controller.signal,
      onProgress: ({ doneBytes, totalBytes }) => {
        if (doneBytes > totalBytes / 2) controller.abort(new Error("enough"));
      },
    });
    await expect(merging).rejects.toThrow("enough");
    expect(readdirSync(scratch)).toEqual(before);
  });

  it("says what is wrong with the target or the type", async () => {
    const merge = (out: string, options = {}) => mergeAdapter(TINY.gemma3, TINY.adapter, out, options);
    await expect(merge(target("no/such/folder.gguf"))).rejects.toThrow(
      expect.objectContaining({ code: "ERR_MISSING_FILE" }),
    );
    await expect(merge(target("q8"), { dtype: "Q8_0" })).rejects.toThrow(
      expect.objectContaining({ code: "ERR_USAGE" }),
    );
    expect(existsSync(target("q8"))).toBe(false);
  });
});

async function logits(model: string, adapter?: string): Promise<Float32Array[]> {
  await using gemma = await Gemma.load(model, { ...EXACT, ...(adapter ? { adapters: { tuned: adapter } } : {}) });
  const rows: Float32Array[] = [];
  await gemma.score(
    { ids: IDS },
    {
      ...(adapter ? { adapter: "tuned" } : {}),
      onLogits: (_, row) => rows.push(row.slice()),
    },
  );
  return rows;
}

function largestDifference(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  expect(a.length).toBe(b.length);
  expect(a.length).toBeGreaterThan(0);
  return Math.max(...a.map((row, i) => row.reduce((most, value, j) => Math.max(most, Math.abs(value - b[i]![j]!)), 0)));
}
