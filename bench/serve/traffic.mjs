// What a server is asked in a long run, and what each answer must be. A kind throws where its answer is wrong.
import { readStream } from "./lib/answer.mjs";
import { bodyText } from "./lib/client.mjs";
import { ownPrompt, sharedPrefix } from "./lib/prompts.mjs";

const SCHEMA = {
  type: "object",
  properties: { name: { enum: ["Nord", "Süd", "West"] }, count: { type: "integer" }, isOpen: { type: "boolean" } },
  required: ["name", "count", "isOpen"],
  additionalProperties: false,
};
const TOOL = {
  type: "function",
  function: {
    name: "find_shop",
    description: "Looks a shop up",
    parameters: {
      type: "object",
      properties: { town: { enum: ["Aachen", "Bonn", "Essen"] }, open: { type: "boolean" } },
      required: ["town", "open"],
      additionalProperties: false,
    },
  },
};
const NONSENSE = [
  ["/v1/completions", { prompt: 7, max_tokens: "many" }],
  ["/v1/completions", { prompt: "x", max_tokens: -1 }],
  ["/v1/chat/completions", { messages: "hello" }],
  ["/v1/chat/completions", { messages: [] }],
  ["/v1/chat/completions", { messages: [{ role: "king", content: "x" }] }],
  ["/v1/embeddings", { input: { text: "x" } }],
];

const chat = (seed) => [{ role: "user", content: ownPrompt(seed) }];

/** [how often, name, run(context)]; context: { client, model, adapter, seed, pick, tokens } */
export const KINDS = [
  [4, "chat, streamed", (at) => expectStream(at, "/v1/chat/completions", { messages: chat(at.seed) })],
  [2, "chat", (at) => expectChat(at, { messages: chat(at.seed) })],
  [3, "completion, streamed", (at) => expectStream(at, "/v1/completions", { prompt: ownPrompt(at.seed) })],
  [
    2,
    "shared beginning",
    (at) => expectStream(at, "/v1/completions", { prompt: `${sharedPrefix(1)}${ownPrompt(at.seed)}` }),
  ],
  [2, "echo with log-probabilities", echo],
  [2, "embeddings", embed],
  [2, "JSON by a schema", schema],
  [2, "tool call", tool],
  [3, "cancelled", cancel],
  [2, "nonsense", nonsense],
];

export async function adapterTraffic(at) {
  await expectStream({ ...at, model: at.adapter }, "/v1/completions", { prompt: ownPrompt(at.seed) });
}

async function expectStream({ client, model, seed, tokens }, path, body) {
  const more = { model, seed, max_tokens: tokens, stream: true, stream_options: { include_usage: true } };
  const answer = await client.post(path, { ...body, ...more });
  expectStatus(answer, 200);
  const { finishReason, isDone, usage, error } = readStream(answer.chunks);
  if (error !== null || finishReason === null || !isDone || !(usage?.total_tokens > 0))
    throw new Error(`the stream must be whole, got ${JSON.stringify({ error, finishReason, isDone, usage })}`);
}

async function expectChat({ client, model, seed, tokens }, body) {
  const answer = await client.post("/v1/chat/completions", { model, seed, max_tokens: tokens, ...body });
  expectStatus(answer, 200);
  const choice = JSON.parse(bodyText(answer)).choices[0];
  if (choice.finish_reason === null) throw new Error("finish_reason must be set");
  return choice;
}

async function echo({ client, model, seed }) {
  const prompt = ownPrompt(seed);
  const body = { model, prompt, max_tokens: 0, echo: true, logprobs: 1 };
  const answer = await client.post("/v1/completions", body);
  expectStatus(answer, 200);
  const [choice] = JSON.parse(bodyText(answer)).choices;
  if (choice.text !== prompt)
    throw new Error(`echo must be the prompt, got ${JSON.stringify(choice.text).slice(0, 80)}`);
  if (!choice.logprobs.token_logprobs.slice(1).every((value) => value <= 0))
    throw new Error("a log-probability is none");
}

async function embed({ client, model, seed }) {
  const answer = await client.post("/v1/embeddings", { model, input: [ownPrompt(seed), ownPrompt(seed + 1)] });
  expectStatus(answer, 200);
  const vectors = JSON.parse(bodyText(answer)).data.map(({ embedding }) => embedding);
  if (vectors.length !== 2 || !vectors.every((vector) => vector.length > 0 && vector.every(Number.isFinite)))
    throw new Error("two vectors of numbers must come");
}

async function schema(at) {
  const format = { type: "json_schema", json_schema: { name: "shop", schema: SCHEMA, strict: true } };
  const choice = await expectChat(at, { messages: chat(at.seed), response_format: format, max_tokens: 80 });
  if (choice.finish_reason === "length") return; // cut where a number went on and on
  const { name, count, isOpen } = JSON.parse(choice.message.content);
  if (typeof name !== "string" || !Number.isInteger(count) || typeof isOpen !== "boolean")
    throw new Error(`must be by the schema, got ${choice.message.content}`);
}

async function tool(at) {
  const choice = await expectChat(at, {
    messages: chat(at.seed),
    tools: [TOOL],
    tool_choice: "required",
    max_tokens: 80,
  });
  if (choice.finish_reason === "length") return;
  const [call] = choice.message.tool_calls ?? [];
  const { town, open } = JSON.parse(call?.function.arguments ?? "{}");
  if (call?.function.name !== "find_shop" || typeof town !== "string" || typeof open !== "boolean")
    throw new Error(`must be a call, got ${JSON.stringify(choice.message)}`);
}

/** Leaves before the first token or behind some. */
async function cancel({ client, model, seed, pick }) {
  const left = new AbortController();
  const leaveAt = pick([0, 0, 1, 2, 5]);
  const timer = leaveAt === 0 ? setTimeout(() => left.abort(), pick([1, 10, 50, 200])) : undefined;
  const body = {
    model,
    prompt: `${sharedPrefix(seed)}${ownPrompt(seed)}`,
    max_tokens: 400,
    stream: true,
    ignore_eos: true,
  };
  try {
    await client.post("/v1/completions", body, {
      signal: left.signal,
      onChunk: (count) => {
        if (count === leaveAt) left.abort();
      },
    });
    throw new Error("the stream of 400 tokens must not end before its reader leaves");
  } catch (error) {
    if (!left.signal.aborted) throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function nonsense({ client, model, pick }) {
  const [path, body] = pick(NONSENSE);
  const answer = await client.post(path, { model, ...body });
  expectStatus(answer, 400);
  if (typeof JSON.parse(bodyText(answer)).error?.message !== "string") throw new Error("400 must say why");
}

function expectStatus(answer, status) {
  if (answer.status !== status)
    throw new Error(`must be ${status}, got ${answer.status}: ${bodyText(answer).slice(0, 300)}`);
}
