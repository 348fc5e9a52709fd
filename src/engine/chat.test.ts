import { expect, test } from "vitest";
import type { Tokenizer } from "../tokenizer/tokenizer.js";
import { CHAT_FORMS, type ChatForm, chatPrompt, type PlainMessage } from "./chat.js";

/** A token a character, and one in front: what is kept can be counted by hand. */
const tokenizer = {
  bosId: 0,
  vocabulary: { addBos: true },
  *encodeUntrustedSlices(text: string) {
    return Int32Array.from(text, (character) => character.charCodeAt(0));
  },
} as unknown as Tokenizer;

const textOf = (ids: readonly number[]) => String.fromCharCode(...ids.slice(1));

const turns = (count: number): PlainMessage[] =>
  Array.from(
    { length: count },
    (_, i): PlainMessage => ({ role: i % 2 === 0 ? "user" : "assistant", content: `${i}` }),
  );

test("the oldest turns go, a question with its answers, never the system text", async () => {
  const messages: PlainMessage[] = [{ role: "system", content: "S" }, ...turns(9)];
  const all = await chatPrompt(tokenizer, messages, CHAT_FORMS.qa, 1000);
  expect(all.dropped).toBe(0);
  for (const [dropped, kept] of [
    [2, "S\n\nQuestion: 2\nAnswer: 3\n\nQuestion: 4\nAnswer: 5\n\nQuestion: 6\nAnswer: 7\n\nQuestion: 8\nAnswer:"],
    [6, "S\n\nQuestion: 6\nAnswer: 7\n\nQuestion: 8\nAnswer:"],
    [8, "S\n\nQuestion: 8\nAnswer:"],
  ] as const) {
    for (const spare of [0, 1, 22]) {
      const prompt = await chatPrompt(tokenizer, messages, CHAT_FORMS.qa, 1 + kept.length + spare);
      expect({ dropped: prompt.dropped, text: textOf(prompt.ids) }).toEqual({ dropped, text: kept });
    }
  }
  await expect(chatPrompt(tokenizer, messages, CHAT_FORMS.qa, 10)).rejects.toMatchObject({ code: "ERR_CONTEXT_FULL" });
});

test("an answer in front of the first question goes with it", async () => {
  const messages = turns(4).slice(1); // 1, 2 and 3 with the roles assistant, user, assistant
  const asked: PlainMessage[] = [...messages, { role: "user", content: "4" }];
  const { dropped, ids } = await chatPrompt(tokenizer, asked, CHAT_FORMS.qa, 45);
  expect({ dropped, text: textOf(ids) }).toEqual({
    dropped: 1,
    text: "Question: 2\nAnswer: 3\n\nQuestion: 4\nAnswer:",
  });
});

test("what was left out is counted in the caller's messages, of which neighbours may be one turn", async () => {
  const user = (content: string): PlainMessage => ({ role: "user", content });
  const messages: PlainMessage[] = [user("0"), user("1"), user("2"), { role: "assistant", content: "3" }, user("4")];
  const { dropped, ids } = await chatPrompt(tokenizer, messages, CHAT_FORMS.qa, 25);
  expect({ dropped, text: textOf(ids) }).toEqual({ dropped: 4, text: "Question: 4\nAnswer:" });
});

test("Gemma's turns: system texts come first wherever they stand, neighbours are one turn, contents may be empty", async () => {
  const messages: PlainMessage[] = [
    { role: "user", content: " a " },
    { role: "system", content: "S" },
    { role: "user", content: "" },
    { role: "assistant", content: "" },
    { role: "system", content: "T" },
    { role: "user", content: "" },
  ];
  let turns: readonly PlainMessage[] = [];
  const form: ChatForm = {
    stops: [],
    segments: async (given) => {
      turns = given;
      const segments = await CHAT_FORMS.gemma.segments(given);
      return segments.map((segment) => (segment.kind === "text" ? segment : { kind: "text", text: segment.name }));
    },
  };
  const { ids } = await chatPrompt(tokenizer, messages, form, 1000);
  expect(turns.map(({ role }) => role)).toEqual(["system", "user", "assistant", "user"]);
  expect(textOf(ids)).toBe(
    "<start_of_turn>user\nS\n\nT\n\na<end_of_turn>\n<start_of_turn>model\n<end_of_turn>\n<start_of_turn>user\n<end_of_turn>\n<start_of_turn>model\n",
  );
});

test("calls and results stay with their question", async () => {
  const result = (content: string): PlainMessage => ({ role: "user", content, isResult: true });
  const messages: PlainMessage[] = [
    ...turns(2),
    { role: "user", content: "2" },
    { role: "assistant", content: "f()" },
    result("a"),
    result("b"),
  ];
  const kept = "Question: 2\nAnswer: f()\n\na\n\nb\nAnswer:";
  const { dropped, ids } = await chatPrompt(tokenizer, messages, CHAT_FORMS.qa, 1 + kept.length);
  expect({ dropped, text: textOf(ids) }).toEqual({ dropped: 2, text: kept });
  await expect(chatPrompt(tokenizer, messages, CHAT_FORMS.qa, kept.length)).rejects.toMatchObject({
    code: "ERR_CONTEXT_FULL",
    message: expect.stringContaining("the last question with its calls and results"),
  });
});

test("a conversation of thousands of turns is written out a dozen times, not thousands", async () => {
  let written = 0;
  const counting: ChatForm = {
    ...CHAT_FORMS.qa,
    segments: (messages) => {
      written++;
      return CHAT_FORMS.qa.segments(messages);
    },
  };
  const { dropped } = await chatPrompt(tokenizer, turns(4001), counting, 300);
  expect(dropped).toBeGreaterThan(3900);
  expect(written).toBeLessThan(20);
});

test("looking for what fits gives way to others, and ends when it is given up", async () => {
  const controller = new AbortController();
  const prompt = chatPrompt(tokenizer, turns(999), CHAT_FORMS.qa, 100, controller.signal);
  setImmediate(() => controller.abort("enough"));
  await expect(prompt).rejects.toBe("enough");
});
