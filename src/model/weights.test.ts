import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { referenceBackend } from "../backends/reference/index.js";
import { type ByteSource, bytesSource } from "../format/byte-source.js";
import { parseGguf } from "../format/gguf.js";
import { parseSafetensors } from "../format/safetensors.js";
import { parseGgufConfig } from "./config-gguf.js";
import { parseHfConfig } from "./config-hf.js";
import { matchTensors } from "./match.js";
import { freeWeights, loadWeights } from "./weights.js";

const fixture = (path: string) => readFileSync(new URL(`../../test/fixtures/${path}`, import.meta.url));

function hfModel(source: ByteSource = bytesSource("hf", fixture("tiny/gemma1-mqa/model.safetensors"))) {
  const { config } = parseHfConfig(fixture("tiny/gemma1-mqa/config.json"));
  return { config, tensors: matchTensors(config, parseSafetensors(source).tensors, { naming: "hf", where: "hf" }) };
}

test("norms of GGUF lose the one that the file adds: both containers load alike", async () => {
  const be = await referenceBackend.create({});
  const hf = hfModel();
  const fromHf = await loadWeights(be, hf.config, hf.tensors, { naming: "hf" });
  const { metadata, tensors } = parseGguf(bytesSource("gguf", fixture("gguf/models/gemma1-mqa.f16.gguf")));
  const config = parseGgufConfig(metadata, "gguf");
  const matched = matchTensors(config, tensors, { naming: "gguf", where: "gguf" });
  const fromGguf = await loadWeights(be, config, matched, { naming: "gguf" });

  for (const pick of ["attnNorm", "ffnNorm"] as const) {
    const [a, b] = [await be.read(fromHf.layers[1]![pick]), await be.read(fromGguf.layers[1]![pick])];
    // w + 1 was rounded to f32 in the file
    for (const [i, value] of a.entries()) expect(Math.abs(value - b[i]!)).toBeLessThan(2e-7);
  }
  expect(fromGguf.layers[0]!.postAttnNorm).toBeNull();
  expect(fromGguf.layers[0]!.qNorm).toBeNull();
  be.dispose();
});

test("progress rises to the sum, an abort frees what was loaded", async () => {
  const be = await referenceBackend.create({});
  const { config, tensors } = hfModel();
  const seen: number[] = [];
  const weights = await loadWeights(be, config, tensors, {
    naming: "hf",
    onProgress: (done, total) => seen.push(done / total),
  });
  expect(seen).toHaveLength(tensors.length);
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
  expect(seen.at(-1)).toBe(1);
  freeWeights(be, weights);

  const controller = new AbortController();
  const freed: unknown[] = [];
  const watched = { ...be, free: (handle: Parameters<typeof be.free>[0]) => freed.push(handle) && be.free(handle) };
  const aborted = loadWeights(watched, config, tensors, {
    naming: "hf",
    signal: controller.signal,
    onProgress: (done, total) => done > total / 2 && controller.abort(new Error("enough")),
  });
  await expect(aborted).rejects.toThrow("enough");
  expect(freed.length).toBeGreaterThan(0);
  be.dispose();
});

test("matrices of files are packed in the background; a failure meanwhile and an abort free all", async () => {
  const reference = await referenceBackend.create({});
  const open = { descriptor: 9, inode: 8 };
  const file: ByteSource = { ...bytesSource("hf", fixture("tiny/gemma1-mqa/model.safetensors")), file: open };
  const { config, tensors } = hfModel(file);
  const load = async (options: Partial<Parameters<typeof loadWeights>[3]>) => {
    const log = { made: 0, freed: 0, packed: 0 };
    const be: typeof reference = {
      ...reference,
      weight: (stored) => {
        expect(stored.file).toMatchObject({ ...open, fileSize: file.sizeBytes });
        log.made += 1;
        return reference.weight(stored);
      },
      packed: async () => {
        log.packed += 1;
      },
      free: (handle) => {
        log.freed += 1;
        reference.free(handle);
      },
    };
    const meanwhile = () => {
      expect(log.packed).toBe(0);
      options.meanwhile?.();
    };
    const error = await loadWeights(be, config, tensors, { naming: "hf", ...options, meanwhile }).then(
      () => null,
      (reason: unknown) => reason,
    );
    return { ...log, error };
  };
  const matrices = tensors.filter(({ shape }) => shape.length === 2).length;
  expect(await load({})).toEqual({ made: matrices, freed: 0, packed: matrices, error: null });

  const broken = new Error("no vocabulary");
  const fail = () => {
    throw broken;
  };
  expect(await load({ meanwhile: fail })).toEqual({ made: matrices, freed: tensors.length, packed: 0, error: broken });

  const controller = new AbortController();
  const onProgress = (done: number, total: number) => done > total / 2 && controller.abort(broken);
  const aborted = await load({ onProgress, signal: controller.signal });
  expect(aborted).toMatchObject({ made: matrices, freed: tensors.length, error: broken });
  expect(aborted.packed).toBeLessThan(matrices);
  reference.dispose();
});

test("all slices of matrices are read into one buffer", async () => {
  const be = await referenceBackend.create({});
  const bytes = bytesSource("hf", fixture("tiny/gemma1-mqa/model.safetensors"));
  const buffers = new Set<Uint8Array>();
  const source: ByteSource = {
    ...bytes,
    read(offset, length, buffer) {
      if (buffer) buffers.add(buffer);
      return bytes.read(offset, length);
    },
  };
  const { config, tensors } = hfModel(source);
  await loadWeights(be, config, tensors, { naming: "hf" });
  expect(buffers.size).toBe(1);
  be.dispose();
});
