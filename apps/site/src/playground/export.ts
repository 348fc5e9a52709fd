import type { Texts } from "../text/texts.js";
import type { Turn } from "./conversation.js";
import { messagesUpTo } from "./conversation.js";
import type { Message, Origin, Sampling } from "./engine.js";
import { DEFAULTS } from "./fields.js";

type Answered = Extract<Turn, { role: "assistant" }>;

export function toJson(turns: readonly Turn[]): string {
  return `${JSON.stringify({ format: "gemma.ts conversation", version: 1, turns }, null, 2)}\n`;
}

export function toMarkdown(turns: readonly Turn[], { playground }: Texts): string {
  const { you, model } = playground.chat;
  const parts = turns.map((turn) => {
    const name = turn.role === "user" ? you : `${model} (${nameOf(turn.origin)})`;
    return `## ${name}\n\n${turn.text}\n`;
  });
  return parts.join("\n");
}

/** A program that makes the last answer again: its messages, its options and its seed. */
export function toCode(
  turns: readonly Turn[],
  current: { readonly origin: Origin; readonly sampling: Sampling; readonly system: string },
): string {
  const at = turns.findLastIndex(({ role }) => role === "assistant");
  const last = turns[at] as Answered | undefined;
  const { origin, sampling, system } = last ?? current;
  const messages = messagesUpTo(turns, last === undefined ? turns.length : at, system);
  return origin.kind === "server" ? serverCode(origin, messages, sampling) : localCode(origin, messages, sampling);
}

function localCode(
  origin: Exclude<Origin, { kind: "server" }>,
  messages: readonly Message[],
  sampling: Sampling,
): string {
  const model = origin.kind === "name" ? origin.name : `./${origin.name}`;
  return `import { Gemma } from "gemma-ts";

const gemma = await Gemma.load(${JSON.stringify(model)});
const messages = ${JSON.stringify(messages, null, 2)};
const answer = gemma.answer(messages, ${JSON.stringify(optionsOf(sampling), null, 2)});
for await (const piece of answer) process.stdout.write(piece);
await gemma.dispose();
`;
}

function serverCode(
  { url, model }: Extract<Origin, { kind: "server" }>,
  messages: readonly Message[],
  sampling: Sampling,
): string {
  const { temperature, topP, maxTokens, seed } = sampling;
  const request = { model, messages, temperature, top_p: topP, max_tokens: maxTokens, seed };
  return `const response = await fetch(${JSON.stringify(`${url}/chat/completions`)}, {
  method: "POST",
  headers: { "content-type": "application/json", authorization: \`Bearer \${process.env.API_KEY ?? ""}\` },
  body: JSON.stringify(${JSON.stringify(request, null, 2).replaceAll("\n", "\n  ")}),
});
const { choices } = await response.json();
console.log(choices[0].message.content);
`;
}

/** Without what is default anyway. */
function optionsOf({ logprobs: _, seed, maxTokens, ...rest }: Sampling): object {
  const changed = Object.entries(rest).filter(([name, value]) => DEFAULTS[name as keyof typeof rest] !== value);
  return { ...Object.fromEntries(changed), maxTokens, seed };
}

function nameOf(origin: Origin): string {
  return origin.kind === "server" ? origin.model : origin.name;
}
