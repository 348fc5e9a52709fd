import { expect, test } from "vitest";
import { FakeLanguageModel } from "./fake.js";

const model = new FakeLanguageModel();

test("probabilities of all continuations of one byte sum to one", async () => {
  const ascii = Array.from({ length: 128 }, (_, code) => ({ context: "ab", continuation: String.fromCharCode(code) }));
  const scores = await model.logprobs(ascii);
  const seen = scores.reduce((sum, score) => sum + Math.exp(score.sum), 0);
  const others = model.row("b".charCodeAt(0)).subarray(128);
  expect(seen + others.reduce((sum, logprob) => sum + Math.exp(logprob), 0)).toBeCloseTo(1, 12);
});

test("the sum is that of the tokens, and what it generates is greedy", async () => {
  const [completion] = await model.generate(["ab"], { maxTokens: 3 });
  expect(completion).toMatchObject({ finishReason: "length" });
  expect(completion!.ids).toHaveLength(3);
  const [score] = await model.logprobs([{ context: "ab", continuation: "cde" }]);
  expect(score!.tokens.map(({ id }) => id)).toEqual([99, 100, 101]);
  expect(score!.sum).toBeCloseTo(model.row(98)[99]! + model.row(99)[100]! + model.row(100)[101]!, 12);

  const best = Array.from({ length: 128 }, (_, code) => ({ context: "ab", continuation: String.fromCharCode(code) }));
  const greedy = (await model.logprobs(best)).flatMap(({ isGreedy }, code) => (isGreedy ? [code] : []));
  const first = completion!.ids[0]!;
  expect(greedy).toEqual(first < 128 ? [first] : []);
});

test("equal seeds draw equal texts, in any batch", async () => {
  const options = { maxTokens: 20, temperature: 1, seed: 7 };
  const [alone] = await model.generate(["a"], options);
  const together = await model.generate(["z", "a"], options);
  expect(together[1]).toEqual(alone);
  expect(await model.generate(["a"], { ...options, seed: 8 })).not.toEqual([alone]);
});

test("a stop string ends the text before it", async () => {
  const options = { maxTokens: 400, temperature: 1, seed: 3 };
  const [whole] = await model.generate(["a"], options);
  const stop = whole!.text.slice(5, 7);
  const [cut] = await model.generate(["a"], { ...options, stop: [stop] });
  expect(cut).toMatchObject({ text: whole!.text.slice(0, whole!.text.indexOf(stop)), finishReason: "stop" });
});

test("what does not fit is refused, and an abort is heard", async () => {
  const small = new FakeLanguageModel({ contextLength: 4 });
  expect(await small.countTokens("é")).toBe(2);
  await expect(small.logprobs([{ context: "abc", continuation: "d" }])).rejects.toMatchObject({
    code: "ERR_CONTEXT_FULL",
  });
  expect(await small.logprobs([{ context: "ab", continuation: "d" }])).toHaveLength(1);
  await expect(small.generate(["abcd"], { maxTokens: 1 })).rejects.toMatchObject({ code: "ERR_CONTEXT_FULL" });
  const [full] = await small.generate(["ab"], { maxTokens: 9 });
  expect(full).toMatchObject({ ids: { length: 1 }, finishReason: "length" });
  const signal = AbortSignal.abort();
  await expect(model.generate(["a"], { maxTokens: 1, signal })).rejects.toThrow(/abort/);
});
