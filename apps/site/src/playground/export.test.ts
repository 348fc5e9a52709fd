import { expect, test } from "vitest";
import { de } from "../text/de.js";
import type { Turn } from "./conversation.js";
import { toCode, toMarkdown } from "./export.js";
import { DEFAULTS } from "./fields.js";

const sampling = { ...DEFAULTS, temperature: 0.5, seed: 7, logprobs: true };
const origin = { kind: "name", name: "gemma-3-270m" } as const;
const turns: Turn[] = [
  { role: "user", text: "Warum?" },
  { role: "assistant", text: "Darum.", sampling, system: "Kurz.", origin, answer: null },
];

test("the code makes the last answer again: what was asked, by which model, with its seed", () => {
  const code = toCode(turns, { origin: { kind: "file", name: "x.gguf" }, sampling, system: "" });
  expect(code).toContain('Gemma.load("gemma-3-270m")');
  const [, messages] = /const messages = (\[[\s\S]*?\]);/.exec(code)!;
  expect(JSON.parse(messages!)).toEqual([
    { role: "system", content: "Kurz." },
    { role: "user", content: "Warum?" },
  ]);
  const [, options] = /gemma\.answer\(messages, (\{[\s\S]*?\})\);/.exec(code)!;
  expect(JSON.parse(options!)).toEqual({ temperature: 0.5, maxTokens: 512, seed: 7 });
});

test("before there is an answer it is that of the present settings", () => {
  expect(toCode([], { origin: { kind: "file", name: "x.gguf" }, sampling, system: "" })).toContain(
    'Gemma.load("./x.gguf")',
  );
});

test("Markdown has the turns in the page's language", () => {
  expect(toMarkdown(turns, de)).toBe("## Sie\n\nWarum?\n\n## Modell (gemma-3-270m)\n\nDarum.\n");
});
