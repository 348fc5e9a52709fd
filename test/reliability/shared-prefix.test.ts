import { expect, test } from "vitest";
import { nativeBackend } from "../../src/backends/native/index.js";
import { Gemma } from "../../src/index.js";
import { TINY } from "../helpers/tiny-models.js";

const available = await nativeBackend.available();
if (available !== true) console.warn(`skipped: shared prefixes on the native backend: ${available}`);

test.skipIf(available !== true)("eight prompts that begin with the same 1,000 tokens compute these once", async () => {
  const options = { backend: "native", inProcess: true, contextLength: 1024 } as const;
  const prefix = Array.from({ length: 1000 }, (_, i) => 4 + ((i * 7919) % 700));
  const prompts = Array.from({ length: 8 }, (_, i) => ({ ids: [...prefix, 600 + i] }));
  const greedy = { temperature: 0, maxTokens: 4, ignoreEos: true };

  await using apart = await Gemma.load(TINY.gemma3, options);
  const alone = [];
  for (const [i, prompt] of prompts.entries()) {
    alone.push((await apart.generate(prompt, { ...greedy, cacheSalt: `${i}` }).result).ids); // nothing is shared
  }
  expect((await apart.stats()).computedTokens).toBe(8 * 1001);

  await using gemma = await Gemma.load(TINY.gemma3, options);
  const together = await Promise.all(prompts.map((prompt) => gemma.generate(prompt, greedy).result));
  expect(together.map(({ ids }) => ids)).toEqual(alone);
  const whole = 992; // positions in whole pages
  expect(together.map(({ timings }) => timings.cachedTokens)).toEqual([0, ...Array(7).fill(whole)]);
  expect(await gemma.stats()).toMatchObject({
    promptTokens: 8 * 1001,
    cachedTokens: 7 * whole,
    computedTokens: 1001 + 7 * (1001 - whole),
  });
});
