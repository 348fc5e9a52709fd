import { expect, test } from "vitest";
import { GrammarCache } from "./grammar-cache.js";

function cacheOf(keep: number) {
  const events: string[] = [];
  const cache = new GrammarCache(async (grammar) => {
    events.push(`compiled ${grammar}`);
    return { dispose: () => void events.push(`freed ${grammar}`) };
  }, keep);
  return { cache, events };
}

test("a grammar is compiled once, and freed when it is unused and others are newer", async () => {
  const { cache, events } = cacheOf(2);
  const first = await cache.take("a");
  const again = await cache.take("a");
  expect(again.compiled).toBe(first.compiled);
  for (const name of ["b", "c", "d"]) (await cache.take(name)).release();
  expect(events).toEqual(["compiled a", "compiled b", "compiled c", "compiled d", "freed b"]);
  first.release();
  first.release(); // does nothing: the other one still uses it
  (await cache.take("e")).release();
  expect(events.slice(5)).toEqual(["compiled e", "freed c"]);
  again.release();
  expect(events.slice(7)).toEqual(["freed a"]);
});

test("one that cannot be compiled leaves nothing behind", async () => {
  const cache = new GrammarCache<{ dispose(): void }>(() => Promise.reject(new Error("no grammar")), 1);
  await expect(cache.take("a")).rejects.toThrow("no grammar");
  await expect(cache.take("a")).rejects.toThrow("no grammar");
});
