// Both servers must say the same before their speed is compared.
import { Client } from "./lib/client.mjs";
import { startServer } from "./lib/process.mjs";
import { ownPrompt } from "./lib/prompts.mjs";

const PROMPTS = ["The capital of France is", "1, 2, 3, 4, 5,", ...[900_001, 900_002, 900_003].map(ownPrompt)];
const TOKENS = 8;
/** Tokens as likely as each other to this factor's logarithm may change places: the two round activations differently. */
const NEAR_TIE = 0.3;

/** @throws where greedy texts part at a token that is not nearly as likely as the other */
export async function verifyTexts(ours, theirs) {
  const [here, there] = [await greedy(ours, true), await greedy(theirs, false)];
  for (const [i, prompt] of PROMPTS.entries()) {
    const at = parting(here[i], there[i].text);
    if (at !== null && !isNearTie(here[i].logprobs.top_logprobs[at]))
      throw new Error(
        `different continuations of "${prompt.slice(-40)}": "${here[i].text}" of ${ours.name}, "${there[i].text}" of ${theirs.name}`,
      );
  }
  return here.filter((choice, i) => parting(choice, there[i].text) === null).length;
}

/** The index of our first token that is not in their text, or null. */
export function parting({ logprobs }, text) {
  let rest = text;
  for (const [at, token] of logprobs.tokens.entries()) {
    if (!rest.startsWith(token)) return at;
    rest = rest.slice(token.length);
  }
  return null;
}

export function isNearTie(alternatives) {
  const [best = 0, next = Number.NEGATIVE_INFINITY] = Object.values(alternatives ?? {}).sort((a, b) => b - a);
  return best - next < NEAR_TIE;
}

async function greedy(side, wantsLogprobs) {
  const server = await startServer(side);
  const client = new Client(server.origin, 1, { keepsAlive: false });
  try {
    const choices = [];
    for (const prompt of PROMPTS) {
      const body = { model: await modelName(client), prompt, max_tokens: TOKENS, temperature: 0, ignore_eos: true };
      const answer = await client.json("/v1/completions", { ...body, ...(wantsLogprobs ? { logprobs: 2 } : {}) });
      choices.push(answer.choices[0]);
    }
    return choices;
  } finally {
    await client.close();
    await server.stop();
  }
}

/** What a server calls its model. */
export async function modelName(client) {
  return JSON.parse(await client.text("/v1/models")).data[0].id;
}
