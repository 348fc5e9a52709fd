import { afterAll, beforeAll, expect, test } from "vitest";
import { TINY } from "../../test/helpers/tiny-models.js";
import { Gemma } from "./gemma.js";

let gemma: Gemma;
beforeAll(async () => {
  gemma = await Gemma.load(TINY.gemma1, {
    backend: "reference",
    activations: "f32",
    inProcess: true,
    contextLength: 256,
  });
});
afterAll(() => gemma.dispose());

const jsonSchema = {
  type: "object",
  properties: { ok: { type: "boolean" }, kind: { enum: ["a", "b"] } },
  required: ["ok", "kind"],
};
const FORM = /^\{"ok": (true|false), "kind": "[ab]"\}$/;

test("a random model writes JSON that conforms, alone and in a batch, and the same for the same seed", async () => {
  const free = await gemma.generate("Once", { seed: 3, maxTokens: 8 }).text();
  const alone = await gemma.generate("Once", { seed: 1, jsonSchema }).result;
  expect(alone.text).toMatch(FORM);
  expect(alone.finishReason).toBe("stop");
  expect(alone.timings.proposedTokens).toBe(0); // what a grammar allows behind a guess is not known
  const together = [1, 2].map((seed) => gemma.generate("Once", { seed, jsonSchema }).text());
  const beside = gemma.generate("Once", { seed: 3, maxTokens: 8 }).text();
  expect(await together[0]).toBe(alone.text);
  expect(await together[1]).toMatch(FORM);
  expect(await beside).toBe(free);
});

test("a chat's answer, also where the end-of-sequence token is ignored", async () => {
  const answer = await gemma.chat().send("Hi", { seed: 1, jsonSchema, ignoreEos: true }).result;
  expect(answer.text).toMatch(FORM);
  expect(answer.finishReason).toBe("stop");
});

test("maxTokens cuts the text, and says so", async () => {
  const cut = await gemma.generate("Once", { seed: 1, jsonSchema, maxTokens: 3 }).result;
  expect([cut.finishReason, cut.ids.length]).toEqual(["length", 3]);
  expect('{"ok": true, {"ok": false, '.includes(cut.text)).toBe(true);
});

test("a schema that is not supported fails the call alone; an abort ends it", async () => {
  const bad = gemma.generate("Once", { jsonSchema: { type: "string", format: "date" } });
  await expect(bad.result).rejects.toMatchObject({ code: "ERR_SCHEMA", message: expect.stringContaining("#/format") });
  const controller = new AbortController();
  const endless = gemma.generate("Once", {
    ...{ seed: 1, jsonSchema: { type: "array", minItems: 200 } },
    signal: controller.signal,
  });
  await endless[Symbol.asyncIterator]().next();
  controller.abort("enough");
  await expect(endless.result).rejects.toBe("enough");
  expect(await gemma.generate("Once", { seed: 1, jsonSchema }).text()).toMatch(FORM);
});
