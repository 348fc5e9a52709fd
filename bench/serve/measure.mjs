// One server under one scenario's load, started for it and ended behind it.
import { Client } from "./lib/client.mjs";
import { closedLoop, expectWhole, figures } from "./lib/load.mjs";
import { parseMetrics } from "./lib/metrics.mjs";
import { cpuMs, memory } from "./lib/proc.mjs";
import { startServer } from "./lib/process.mjs";
import { ownPrompt, sharedPrefix } from "./lib/prompts.mjs";
import { SAMPLING, TOKENS } from "./scenarios.mjs";
import { modelName } from "./verify.mjs";

const PATH = "/v1/completions";

/**
 * Each client warms up with a request that does not count; with a shared beginning, it is remembered from then on.
 *
 * @param samplings names of SAMPLING
 * @returns {{ greedy?, sampled?, peakBytes }}
 */
export async function measureSide(side, scenario, round, samplings) {
  return withServer(side, scenario.streams, async ({ server, client, body }) => {
    const prompts = promptsOf(scenario, round);
    const meter = async () => ({ cpuMs: cpuMs(server.pid), computed: await computedTokens(side, client) });
    await closedLoop(client, PATH, bodies(scenario.streams, 1, prompts, { ...body, ...SAMPLING.greedy.body }));
    const found = {};
    for (const name of samplings) {
      const list = bodies(scenario.streams, scenario.requests, prompts, { ...body, ...SAMPLING[name].body });
      const before = await meter();
      found[name] = figures(await closedLoop(client, PATH, list), TOKENS);
      const after = await meter();
      found[name].cpuMsPerToken = (after.cpuMs - before.cpuMs) / (list.flat().length * TOKENS);
      found[name].computedTokens = (after.computed - before.computed) / list.flat().length;
    }
    return { ...found, ...memory(server.pid) };
  });
}

/**
 * Clients that share a beginning, all at once, on a server that has computed nothing yet.
 *
 * @returns {{ computed, atBest, atWorst, firstP95Ms }} prompt tokens: computed, and what they would be with the beginning
 *     computed once, or by each client
 */
export async function measurePrefix(side, scenario, round) {
  return withServer(side, scenario.streams, async ({ client, body }) => {
    const computed = () => computedTokens(side, client);
    const prefix = sharedPrefix(round);
    const prompts = promptsOf(scenario, round);
    const before = await computed();
    const list = bodies(scenario.streams, 1, prompts, { ...body, ...SAMPLING.greedy.body });
    const loop = await closedLoop(client, PATH, list);
    const after = await computed();
    const { firstP95Ms } = figures(loop, TOKENS);
    const lengths = loop.answers.map((answer) => expectWhole(answer, TOKENS).usage.prompt_tokens);
    const { usage } = await client.json(PATH, { ...body, stream: false, prompt: prefix, max_tokens: 1 });
    const atWorst = lengths.reduce((sum, length) => sum + length, 0);
    const atBest = atWorst - (lengths.length - 1) * usage.prompt_tokens;
    return { computed: after - before, atBest, atWorst, firstP95Ms };
  });
}

async function computedTokens(side, client) {
  return side.computedTokens(parseMetrics(await client.text("/metrics")));
}

async function withServer(side, streams, work) {
  const server = await startServer(side);
  const client = new Client(server.origin, streams, { keepsAlive: false });
  try {
    const stream = { stream: true, stream_options: { include_usage: true } };
    const body = { model: await modelName(client), max_tokens: TOKENS, ignore_eos: true, ...stream };
    return await work({ server, client, body });
  } catch (error) {
    throw new Error(`${side.name}: ${error.message}\n${server.output()}`, { cause: error });
  } finally {
    await client.close();
    await server.stop();
  }
}

/** Makes prompts, each another one; the same for both sides of a round. */
function promptsOf({ streams, shared }, round) {
  const prefix = shared ? sharedPrefix(round) : "";
  let seed = 10_000 * round + 1000 * streams;
  return () => `${prefix}${ownPrompt(seed++)}`;
}

function bodies(streams, requests, nextPrompt, body) {
  const one = () => {
    const prompt = nextPrompt();
    return { ...body, prompt, seed: prompt.length };
  };
  return Array.from({ length: streams }, () => Array.from({ length: requests }, one));
}
