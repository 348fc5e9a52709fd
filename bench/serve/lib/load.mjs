// Clients that each send their next request when the last one has ended.

import { paces, readStream } from "./answer.mjs";
import { bodyText } from "./client.mjs";
import { percentile } from "./stats.mjs";

/**
 * @param bodies of requests: those of one client, one after the other, for each client
 * @returns {{ answers, wallMs, ownCpu }} ownCpu: how much of a core this process took meanwhile
 */
export async function closedLoop(client, path, bodies) {
  const cpu = process.cpuUsage();
  const start = performance.now();
  const lists = await Promise.all(
    bodies.map(async (list) => {
      const answers = [];
      for (const body of list) answers.push(await client.post(path, body));
      return answers;
    }),
  );
  const wallMs = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  return { answers: lists.flat(), wallMs, ownCpu: (user + system) / 1000 / wallMs };
}

/** Figures of a loop of streams that must all be complete. @throws for one that is not */
export function figures({ answers, wallMs, ownCpu }, tokens) {
  const streams = answers.map((answer) => expectWhole(answer, tokens));
  const times = streams.map(paces);
  const first = times.map(({ firstMs }) => firstMs);
  return {
    tokensPerSecond: (1000 * tokens * streams.length) / wallMs,
    firstP50Ms: percentile(first, 0.5),
    firstP95Ms: percentile(first, 0.95),
    gapP95Ms: percentile(
      times.flatMap(({ gapsMs }) => gapsMs),
      0.95,
    ),
    promptTokens: streams.reduce((sum, { usage }) => sum + usage.prompt_tokens, 0) / streams.length,
    ownCpu,
  };
}

/** A stream that ended by its length, with as many tokens as were asked for. */
export function expectWhole(answer, tokens) {
  if (answer.status !== 200) throw new Error(`a stream must be 200, got ${answer.status}: ${bodyText(answer)}`);
  const stream = readStream(answer.chunks);
  const { finishReason, usage, error } = stream;
  if (error !== null) throw new Error(`a stream must have no error, got ${JSON.stringify(error)}`);
  if (finishReason !== "length" || usage?.completion_tokens !== tokens)
    throw new Error(
      `a stream must have ${tokens} tokens and end by length, got ${usage?.completion_tokens}, ${finishReason}`,
    );
  return stream;
}
