// SIGTERM in the middle of work: every request that the server has accepted gets its answer, and the exit code is 0.
import { setTimeout as sleep } from "node:timers/promises";
import { readStream } from "./lib/answer.mjs";
import { bodyText, Client } from "./lib/client.mjs";
import { startServer } from "./lib/process.mjs";
import { ownPrompt } from "./lib/prompts.mjs";
import { modelName } from "./verify.mjs";

const CLIENTS = 8;
const EXIT_MS = 20_000;
/** Nothing came back: right for a request that was sent when the server no longer took any. */
const REFUSED = "refused";

/**
 * @param side of lib/sides.mjs
 * @returns {{ how: { code, signal }, outcomes: string[], exitMs }} outcomes of all requests: "answered", "503",
 *     "refused" (sent after the signal, and not accepted), or what went wrong
 */
export async function terminateUnderLoad(side, round) {
  const server = await startServer(side);
  const control = new Client(server.origin, 1);
  const model = await modelName(control);
  await control.close();
  const state = { endedAt: Number.POSITIVE_INFINITY, signalledAt: Number.POSITIVE_INFINITY };
  server.exited.then(() => {
    state.endedAt = performance.now();
  });
  const clients = Array.from({ length: CLIENTS }, (_, i) =>
    runClient(server.origin, model, state, 1000 * round + 100 * i),
  );
  await sleep(50 + ((round * 37) % 400));
  state.signalledAt = performance.now();
  const how = await server.stop(EXIT_MS);
  return { how, exitMs: performance.now() - state.signalledAt, outcomes: (await Promise.all(clients)).flat() };
}

async function runClient(origin, model, state, seed) {
  const client = new Client(origin, 1);
  const outcomes = [];
  for (let i = 0; i < 1000; i++) {
    const sentAt = performance.now();
    const outcome = await ask(client, model, seed + i);
    const isLate = sentAt >= state.signalledAt;
    outcomes.push(outcome === REFUSED && !isLate ? "accepted, no answer" : outcome);
    if (outcome === REFUSED) break;
    if (outcome === "503") await sleep(5);
    if (sentAt > state.endedAt) break;
  }
  await client.close();
  return outcomes;
}

async function ask(client, model, seed) {
  const stream = seed % 3 !== 0;
  const body = { model, prompt: ownPrompt(seed).slice(0, 60), max_tokens: 48, ignore_eos: true, stream };
  let chunks = 0;
  try {
    const answer = await client.post("/v1/completions", body, {
      signal: AbortSignal.timeout(EXIT_MS),
      onChunk: () => chunks++,
    });
    if (answer.status !== 200) return String(answer.status);
    const { finish_reason } = stream ? {} : JSON.parse(bodyText(answer)).choices[0];
    const reason = stream ? readStream(answer.chunks).finishReason : finish_reason;
    return reason ? "answered" : "an answer without finish_reason";
  } catch (error) {
    return chunks > 0 ? `cut: ${error.message}` : error.name === "TimeoutError" ? "no answer in time" : REFUSED;
  }
}
