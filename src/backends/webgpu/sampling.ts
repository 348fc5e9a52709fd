import type { SampleRow } from "../../backend/ops/sample.js";
import { uniformAt } from "../../base/rng.js";

const RECORD_WORDS = 16;
const NO_MASK = 0xffff_ffff;
const DIGIT = 2 ** 13;

const float = new Float32Array(1);
const floatBits = new Uint32Array(float.buffer);

function bitsOf(value: number): number {
  float[0] = value;
  return floatBits[0]!;
}

/** A share in [0, 1) as three digits of 13 bits behind the point, the least first. */
function digitsOf(share: number): [number, number, number] {
  const whole = Math.max(0, Math.floor(share * DIGIT ** 3));
  return [whole % DIGIT, Math.floor(whole / DIGIT) % DIGIT, Math.floor(whole / DIGIT ** 2)];
}

/**
 * The parameters of R rows as words: a record each, then their lists. sample.wgsl has the other end. Offsets are relative
 * to `first`, where the words will begin.
 */
export function packRows(rows: readonly SampleRow[], vocabulary: number, first: number): Uint32Array {
  const maskWords = Math.ceil(vocabulary / 32);
  const lengths = rows.map((row) => {
    return (row.mask === null ? 0 : maskWords) + 2 * row.biasIds.length + 3 * row.penaltyIds.length;
  });
  const words = new Uint32Array(RECORD_WORDS * rows.length + lengths.reduce((a, b) => a + b, 0));
  let end = RECORD_WORDS * rows.length;
  for (const [r, row] of rows.entries()) {
    const mask = row.mask === null ? NO_MASK : first + end;
    if (row.mask !== null) {
      words.set(row.mask.subarray(0, maskWords), end);
      end += maskWords;
    }
    const bias = first + end;
    for (const [i, id] of row.biasIds.entries()) {
      words[end++] = id;
      words[end++] = bitsOf(row.biasValues[i]!);
    }
    const penalties = first + end;
    const frequency = Math.fround(row.frequencyPenalty);
    for (const [i, id] of row.penaltyIds.entries()) {
      const seen = row.penaltyCounts[i]!;
      words[end++] = id;
      words[end++] = bitsOf(frequency * seen);
      words[end++] = bitsOf(seen > 0 ? row.presencePenalty : 0);
    }
    words.set(
      [mask, bias, row.biasIds.length, penalties, row.penaltyIds.length, row.topK].concat(
        [row.temperature, row.minP].map(bitsOf),
        // A little less: a share of equal weights that f64 rounds to a whole number counts as reached.
        digitsOf(row.topP - 2 ** -38),
        row.topP < 1 ? 1 : 0,
        digitsOf(uniformAt(row.seed, row.index)),
        bitsOf(row.repetitionPenalty),
      ),
      r * RECORD_WORDS,
    );
  }
  return words;
}
