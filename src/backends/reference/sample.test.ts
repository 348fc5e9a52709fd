import { expect, test } from "vitest";
import { PLAIN_ROW, type SampleRow } from "../../backend/ops/sample.js";
import { referenceBackend } from "./index.js";

const DEFAULTS: SampleRow = { ...PLAIN_ROW, seed: 1 };

/** How often each id comes in `draws` draws from the given probabilities. */
async function counts(probabilities: number[], settings: Partial<SampleRow>, draws = 4000): Promise<number[]> {
  const be = await referenceBackend.create({});
  const logits = be.tensor("f32", [draws, probabilities.length]);
  const row = probabilities.map(Math.log);
  be.write(logits, Float32Array.from(Array.from({ length: draws }, () => row).flat()));
  const out = be.tensor("i32", [draws]);
  be.sample(
    out,
    logits,
    Array.from({ length: draws }, (_, index) => ({ ...DEFAULTS, ...settings, index })),
  );
  const result = Array<number>(probabilities.length).fill(0);
  for (const id of await be.read(out)) result[id]! += 1;
  be.dispose();
  return result;
}

/** Four standard deviations of a count of 4000 draws are at most 127. */
async function expectShares(probabilities: number[], settings: Partial<SampleRow>, shares: number[]): Promise<void> {
  const total = shares.reduce((a, b) => a + b, 0);
  for (const [id, count] of (await counts(probabilities, settings)).entries()) {
    const expected = (4000 * shares[id]!) / total;
    if (expected === 0) expect(count, `id ${id}`).toBe(0);
    else expect(Math.abs(count - expected), `id ${id}: ${count} for ${expected}`).toBeLessThan(127);
  }
}

test("draws follow the softmax and the temperature", async () => {
  await expectShares([0.2, 0.5, 0.3], {}, [2, 5, 3]);
  await expectShares([0.2, 0.5, 0.3], { temperature: 0.5 }, [4, 25, 9]);
});

test("top-k, top-p and min-p keep the most likely", async () => {
  await expectShares([0.2, 0.5, 0.3], { topK: 2 }, [0, 5, 3]);
  await expectShares([0.2, 0.5, 0.3], { topP: 0.45 }, [0, 1, 0]);
  await expectShares([0.2, 0.5, 0.3], { topP: 0.55 }, [0, 5, 3]);
  await expectShares([0.2, 0.5, 0.3], { minP: 0.5 }, [0, 5, 3]);
  await expectShares([0.2, 0.5, 0.3], { topP: 0 }, [0, 1, 0]);
  // After top-k the two kept have 5/8 and 3/8: 0.6 is reached by the first alone.
  await expectShares([0.2, 0.5, 0.3], { topK: 2, topP: 0.6 }, [0, 1, 0]);
});

test("mask, bias and penalties change the logits first", async () => {
  await expectShares([0.2, 0.5, 0.3], { mask: Uint32Array.of(0b101) }, [2, 0, 3]);
  const bias = { biasIds: Int32Array.of(0, 7), biasValues: Float32Array.of(Math.log(5), 9) };
  await expectShares([0.2, 0.5, 0.3], bias, [10, 5, 3]);
  const seen = { penaltyIds: Int32Array.of(1), penaltyCounts: Int32Array.of(2) };
  await expectShares([0.2, 0.5, 0.3], { ...seen, frequencyPenalty: Math.log(5) / 2 }, [2, 1, 3]);
  await expectShares([0.2, 0.5, 0.3], { ...seen, presencePenalty: Math.log(5) }, [2, 1, 3]);
  // Negative logits are multiplied, positive ones divided: log 0.5 · 2 = log 0.25, log 16 / 2 = log 4.
  await expectShares([0.2, 0.5, 0.3], { ...seen, repetitionPenalty: 2 }, [2, 2.5, 3]);
  await expectShares([4, 16, 4], { ...seen, repetitionPenalty: 2 }, [1, 1, 1]);
});

test("greedy takes the lowest of equals; nothing allowed is -1; NaN is never taken", async () => {
  const be = await referenceBackend.create({});
  const greedy = { ...DEFAULTS, temperature: 0 };
  const out = be.tensor("i32", [4]);
  const logits = be.tensor("f32", [4, 3]);
  be.write(logits, Float32Array.of(1, 2, 2, 1, 2, 2, Number.NaN, 1, 0, Number.NaN, Number.NaN, Number.NaN));
  be.sample(out, logits, [greedy, { ...greedy, mask: Uint32Array.of(0) }, greedy, DEFAULTS]);
  expect(Array.from(await be.read(out))).toEqual([1, -1, 1, -1]);
  be.dispose();
});
