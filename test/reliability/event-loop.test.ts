import { describe, expect, test } from "vitest";
import { builtLibrary, isLibraryBuilt } from "../helpers/built-library.js";
import { TINY } from "../helpers/tiny-models.js";

// The limits that we promise are measured by `npm run bench:event-loop`: they need a quiet machine. Here only what holds
// on a busy one: an engine whose steps take a tenth of a second or more leaves the caller's timers alone.

const PROMPT = Array.from({ length: 200 }, (_, i) => 5 + ((i * 7919) % 400));

/** Gaps in ms between the ticks of a 1 ms timer while a long prompt is scored in plain TypeScript. */
async function gapsWhileScoring(inProcess: boolean): Promise<readonly number[]> {
  const { Gemma } = await builtLibrary();
  await using gemma = await Gemma.load(TINY.gemma3, { backend: "reference", contextLength: 256, inProcess });
  await gemma.score({ ids: [2, 5] });
  const gaps: number[] = [];
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    gaps.push(now - last);
    last = now;
  }, 1);
  await gemma.score({ ids: PROMPT });
  clearInterval(timer);
  return gaps.sort((a, b) => a - b);
}

const middle = (sorted: readonly number[]): number => sorted[sorted.length >> 1]!;

describe.skipIf(!isLibraryBuilt)("the caller's event loop", () => {
  test("goes on while the engine works in its worker, and would not in process", async () => {
    const [apart, together] = [await gapsWhileScoring(false), await gapsWhileScoring(true)];
    expect(apart.length).toBeGreaterThan(20);
    expect(middle(apart)).toBeLessThan(20);
    expect(together.at(-1)).toBeGreaterThan(5 * middle(apart)); // the probe does see a loop that is held
  });
});
