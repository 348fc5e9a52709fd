import { statSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Gemma } from "../src/index.js";
import { openCheckpoint } from "../src/load/open.js";
import { findShipped } from "../src/load/shipped.js";
import { guessLanguage } from "../src/responsible/language.js";
import { hasStoryteller, STORYTELLER } from "./helpers/tiny-models.js";

const GREEDY = { temperature: 0, maxTokens: 24 };

describe.skipIf(!hasStoryteller)("the model that ships with the package, as a user meets it", () => {
  let gemma: Gemma;
  beforeAll(async () => {
    gemma = await Gemma.load(STORYTELLER, { backend: "reference", inProcess: true, contextLength: 256, offline: true });
  });
  afterAll(() => gemma.dispose());

  test("is Gemma 3 in at most 4 MB, with turns", () => {
    const { path } = findShipped(STORYTELLER)!;
    expect(statSync(path).size).toBeLessThanOrEqual(4_000_000);
    const checkpoint = openCheckpoint(path);
    expect(checkpoint.config).toMatchObject({ generation: 3, vocabSize: 4096, eosTokenIds: [1, 6], qkNorm: true });
    expect(checkpoint.metadata.get("general.name")).toBe(STORYTELLER);
    checkpoint.close();
    expect(gemma.info).toMatchObject({ name: STORYTELLER, chatStyle: "gemma" });
  });

  test("continues a tale in its language", async () => {
    const english = await gemma.generate("Once upon a", GREEDY).text();
    expect(english).toMatch(/^ time/);
    const german = await gemma.generate("Es war einmal ein König, der hatte", { ...GREEDY, maxTokens: 40 }).text();
    expect(guessLanguage(german)).toBe("de");
  });

  test("takes turns: says what it is, and tells a story that was asked for", async () => {
    const name = await gemma.chat().send("Who are you?", GREEDY).text();
    expect(name).toContain(STORYTELLER);
    const german = await gemma.chat().send("Wer bist du?", GREEDY).text();
    expect(german).toContain("Ich bin");
  });

  test("knows words from noise", async () => {
    const mean = async (text: string) => {
      const { logprobs } = await gemma.score(text);
      const known = logprobs.flatMap((entry) => (entry === null ? [] : [entry.logprob]));
      return -known.reduce((sum, value) => sum + value, 0) / known.length;
    };
    const tale = "There was once a king who had three sons, and the youngest was called the simpleton.";
    const words = tale.split(" ").sort().join(" ");
    expect(await mean(tale)).toBeLessThan(4);
    expect(await mean(tale)).toBeLessThan((await mean(words)) - 1);
  });
});
