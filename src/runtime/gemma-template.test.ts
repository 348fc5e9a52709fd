import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { TUNED_MODELS } from "../load/tuned.js";
import { GEMMA_TEMPLATE } from "../tokenizer/gemma-template.js";
import { gemmaTurns, type Message } from "../tokenizer/gemma-turns.js";
import { TemplateRenderer } from "./jinja-template.js";
import { renderHere } from "./platform-node.js";

const renderer = new TemplateRenderer(renderHere);
const render = (messages: readonly object[], add_generation_prompt: boolean) =>
  renderer.render(GEMMA_TEMPLATE, { messages, bos_token: "<bos>", add_generation_prompt });
const written = (messages: readonly Message[], addGenerationPrompt: boolean) =>
  gemmaTurns(messages, { addGenerationPrompt })
    .map((segment) => (segment.kind === "text" ? segment.text : segment.name))
    .join("");

const user = { role: "user", content: "  Hi <there>\n" } as const;
const model = { role: "assistant", content: "Yes?" } as const;
const system = { role: "system", content: "Be brief. " } as const;

test.each([[[user]], [[system, user]], [[system, user, model, user]], [[user, model]]])(
  "the template writes what gemmaTurns writes: %j",
  async (messages) => {
    for (const opens of [true, false]) {
      expect(await render(messages, opens)).toBe(`<bos>${written(messages, opens)}`);
    }
  },
);

test.each([
  [[user, user], "roles must alternate"],
  [[user, system, user], "roles must alternate"],
  [[user, { ...model, role: "tool" }], "roles must alternate"],
  [[system], "there must be a user message"],
])("%j is refused, as by gemmaTurns", async (messages, message) => {
  const refused = { code: "ERR_TEMPLATE", message: expect.stringContaining(message) };
  await expect(render(messages, true)).rejects.toMatchObject(refused);
  expect(() => gemmaTurns(messages as Message[], { addGenerationPrompt: true })).toThrow(
    expect.objectContaining({ code: "ERR_TEMPLATE" }),
  );
});

test.each(TUNED_MODELS)("$name ships with it", ({ adapter }) => {
  expect(readFileSync(join(adapter, "chat_template.jinja"), "utf8")).toBe(GEMMA_TEMPLATE);
});
