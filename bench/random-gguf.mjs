// Writes a GGUF with the real dimensions of a published Gemma and random weights, for measuring speed.
//   node bench/random-gguf.mjs --variant gemma-2b --dtype Q4_0 --tokenizer FILE.gguf --out FILE.gguf
//       [--embedding DTYPE] [--seed N] [--context N] [--dry-run]
// The tokenizer is that of another GGUF, cut or padded to the variant's vocabulary. The same arguments give the same
// bytes. The file appears under its name when it is complete; in memory is never more than the header and a few MB.
import { closeSync, ftruncateSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { parseArgs } from "node:util";
import { BLOCK_SIZES, rowBytes } from "../dist/base/dtype.js";
import { parseGguf } from "../dist/format/gguf.js";
import { GgufStrings } from "../dist/format/gguf-values.js";
import { f32, ggufLayout, ggufPairs, u32 } from "../dist/format/gguf-write.js";
import { fileSource } from "../dist/load/file-source.js";
import { ggufConfig } from "../dist/model/config-gguf-write.js";
import { expectedTensors } from "../dist/model/tensors.js";
import { VARIANTS } from "../dist/model/variants.js";
import { blockFiller, RANDOM_DTYPES, randomBytes } from "./lib/random-blocks.mjs";

const CHUNK = 4 << 20; // bytes, about
const UNUSED = 5; //      a token's type in GGUF
const UNLIKELY = -1e4; // a token's score that no merge prefers

/** What llama.cpp's quantiser takes where rows are not whole blocks of 256. */
const NARROW = { Q2_K: "IQ4_NL", Q3_K: "IQ4_NL", IQ4_XS: "IQ4_NL", Q4_K: "Q5_0", Q5_K: "Q5_1", Q6_K: "Q8_0" };

const { values: options } = parseArgs({
  options: {
    variant: { type: "string", default: "gemma-2b" },
    dtype: { type: "string", default: "Q4_0" },
    embedding: { type: "string" },
    tokenizer: { type: "string" },
    out: { type: "string" },
    seed: { type: "string", default: "1" },
    context: { type: "string" },
    "dry-run": { type: "boolean", default: false }, // the size alone
  },
});
const config = VARIANTS.get(options.variant);
const isFloat = BLOCK_SIZES[options.dtype]?.elements === 1;
const embedding = options.embedding ?? (isFloat ? options.dtype : "Q8_0"); // the head: quantisers leave it wider
if (!config) usage(`--variant must be one of ${[...VARIANTS.keys()].join(", ")}`);
if (![options.dtype, embedding].every((dtype) => RANDOM_DTYPES.includes(dtype)))
  usage(`--dtype and --embedding must be of ${RANDOM_DTYPES.join(", ")}`);
if (!options.tokenizer || !options.out) usage("--tokenizer and --out are needed");

const tensors = expectedTensors(config, "gguf").map(({ storedName: name, shape }) => {
  const dtype = dtypeOf(name, shape);
  const rows = shape.length === 1 ? 1 : shape[0];
  return { name, shape, dtype, rows, sizeBytes: rows * rowBytes(dtype, shape.at(-1)) };
});
const stated = { ...config, maxPositionEmbeddings: Number(options.context ?? config.maxPositionEmbeddings) };
const metadata = [
  ...ggufConfig(stated, `random ${options.variant}`),
  ...tokenizer(options.tokenizer, config.vocabSize),
];
const { header, offsets, sizeBytes } = ggufLayout(ggufPairs(metadata), tensors);
if (!options["dry-run"]) {
  writeFile(options.out, (fd) => {
    ftruncateSync(fd, sizeBytes); // with the padding behind the last tensor
    writeAll(fd, header, 0);
    for (const [i, tensor] of tensors.entries()) writeTensor(fd, tensor, offsets[i]);
  });
}
console.log(`${options.out}: ${options.variant}, ${options.dtype}, embedding ${embedding}, ${sizeBytes} bytes`);

function dtypeOf(name, shape) {
  if (shape.length === 1) return "F32"; // norms
  const dtype = name === "token_embd.weight" ? embedding : options.dtype;
  return shape.at(-1) % BLOCK_SIZES[dtype].elements === 0 ? dtype : NARROW[dtype];
}

/** The tokenizer's keys of the GGUF at `path`, with `size` tokens. */
function tokenizer(path, size) {
  const source = fileSource(path);
  const found = [...parseGguf(source).metadata].filter(([key]) => key.startsWith("tokenizer."));
  source.close?.();
  const pairs = found.map(([key, value]) => [key, resized(key, value, size)]);
  return pairs.filter(([key, value]) => !(key.endsWith("_token_id") && value.value >= size));
}

function resized(key, value, size) {
  if (value instanceof GgufStrings) {
    const isTokens = key === "tokenizer.ggml.tokens";
    const length = isTokens ? size : value.length;
    return Array.from({ length }, (_, i) => (i < value.length ? value.at(i) : `<padding${i}>`));
  }
  if (typeof value === "number") return Number.isInteger(value) ? u32(value) : f32(value);
  if (!ArrayBuffer.isView(value)) return value; // a boolean or a string
  const same = new value.constructor(size).fill(key.endsWith("token_type") ? UNUSED : UNLIKELY);
  same.set(value.subarray(0, size));
  return same;
}

function writeTensor(fd, { name, shape, dtype, rows, sizeBytes }, offset) {
  const next = randomBytes(options.seed, name);
  if (shape.length === 1) return writeAll(fd, norm(name, next(shape[0])), offset);
  const fill = blockFiller(dtype);
  const row = sizeBytes / rows;
  const most = Math.max(1, Math.floor(CHUNK / row)) * row;
  for (let done = 0; done < sizeBytes; done += most) {
    const bytes = next(Math.min(most, sizeBytes - done));
    fill(bytes);
    writeAll(fd, bytes, offset + done);
  }
}

/**
 * GGUF stores a norm's scale with the one added: ones change nothing. The last norm has random signs: with ones the head,
 * which is the embedding, would find every token most like itself and repeat it for ever.
 */
function norm(name, random) {
  const signs = name === "output_norm.weight" ? random : random.fill(0);
  return Buffer.from(Float32Array.from(signs, (byte) => (byte & 1 ? -1 : 1)).buffer);
}

/** Calls `write` with a new file, which takes the name `path` when all is written. */
function writeFile(path, write) {
  const partial = `${path}.${process.pid}.partial`;
  const fd = openSync(partial, "wx");
  try {
    write(fd);
    closeSync(fd);
    renameSync(partial, path);
  } catch (error) {
    rmSync(partial, { force: true });
    throw error;
  }
}

function writeAll(fd, bytes, position) {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, position + done);
}

function usage(problem) {
  console.error(
    `${problem}\nusage: node bench/random-gguf.mjs --variant NAME --dtype DTYPE --tokenizer FILE --out FILE`,
  );
  process.exit(2);
}
