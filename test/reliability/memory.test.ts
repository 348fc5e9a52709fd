import { describe, expect, test } from "vitest";
import { builtBackends, isLibraryBuilt, runScript } from "../helpers/built-library.js";
import { TINY } from "../helpers/tiny-models.js";

// Load, generate, dispose, over and over, in a process of its own: its memory must not grow.
const MOST_KB_PER_CYCLE = 50;
const SAMPLE_EVERY = 5;
// Small young generations: the heap's own growth would hide what leaks.
const FLAGS = ["--expose-gc", "--max-semi-space-size=2"];

interface Case {
  readonly backend: string;
  readonly inProcess: boolean;
  readonly warmUp: number;
  readonly cycles: number;
}

/** Resident memory in KB after every SAMPLE_EVERY cycles. */
async function residentKb({ backend, inProcess, warmUp, cycles }: Case): Promise<number[]> {
  const options = { backend, inProcess, contextLength: 256, threads: 2, adapters: { tuned: TINY.adapter } };
  const { code, stdout, stderr } = await runScript(
    `
    const samples = [];
    for (let i = 1; i <= ${warmUp + cycles}; i++) {
      const gemma = await Gemma.load(${JSON.stringify(TINY.gemma3)}, ${JSON.stringify(options)});
      await Promise.all([
        gemma.generate("the quick brown fox", { maxTokens: 6, seed: i }).result,
        gemma.generate("the quick brown dog", { maxTokens: 6, seed: i, adapter: "tuned" }).result,
      ]);
      await gemma.dispose();
      if (i <= ${warmUp} || i % ${SAMPLE_EVERY} !== 0) continue;
      gc();
      await new Promise((resolve) => setTimeout(resolve, 1));
      gc();
      samples.push(process.memoryUsage().rss / 1024);
    }
    console.log(JSON.stringify(samples));`,
    FLAGS,
  );
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

/** Median of the slopes between all pairs: single outliers do not count. */
function slopePerCycle(samples: readonly number[]): number {
  const slopes = samples.flatMap((a, i) => samples.slice(i + 1).map((b, j) => (b - a) / ((j + 1) * SAMPLE_EVERY)));
  return slopes.sort((a, b) => a - b)[slopes.length >> 1]!;
}

const [backend = "reference"] = builtBackends;
const CASES: readonly Case[] = [
  { backend, inProcess: true, warmUp: 50, cycles: 200 },
  { backend, inProcess: false, warmUp: 30, cycles: 50 },
];

describe.skipIf(!isLibraryBuilt)("memory", () => {
  test.each(CASES)("$cycles models one after the other, %o", { timeout: 120_000 }, async (c) => {
    const samples = await residentKb(c);
    expect(samples).toHaveLength(c.cycles / SAMPLE_EVERY);
    const slope = slopePerCycle(samples);
    console.log(`${c.backend}: ${slope.toFixed(1)} KB per cycle`);
    expect(slope, samples.map(Math.round).join(" ")).toBeLessThan(MOST_KB_PER_CYCLE);
  });
});
