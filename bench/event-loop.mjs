// How long the caller's event loop is held while the engine generates, beside the same process doing nothing.
//   npm run bench:event-loop -- [--model M] [--rounds N] [--seconds N] [--threads N] [--backend B] [--json]
// Each round measures an idle phase, then a phase in which two streams are read: prefill of 256 tokens and decode.
// Delays are those of a 1 ms timer. Exit code 1 when p99 is held more than 5 ms, or the worst more than 50 ms, beyond idle.
import { cpus } from "node:os";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Gemma } from "../dist/index.js";

const P99_MS = 5;
const WORST_MS = 50;
const PROMPT = 256;
const STREAMS = 2;

const { values } = parseArgs({
  options: {
    model: { type: "string", default: "gemma-3-270m" },
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "3" },
    threads: { type: "string" },
    backend: { type: "string", default: "native" },
    json: { type: "boolean", default: false },
  },
});
const phaseMs = Math.round(1000 * Number(values.seconds));

let pieces = 0;
const gemma = await Gemma.load(values.model, {
  backend: values.backend,
  contextLength: 1024,
  ...(values.threads ? { threads: Number(values.threads) } : {}),
});
await generateFor(500); // warms up

const rounds = [];
for (let round = 0; round < Number(values.rounds); round++) {
  const idle = await delaysDuring(() => sleep(phaseMs));
  const busy = await delaysDuring(() => generateFor(phaseMs));
  rounds.push({ idle, busy });
}
const { name, backend } = gemma.info;
await gemma.dispose();

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const summary = (phase) => ({
  p99Ms: median(rounds.map((round) => round[phase].p99Ms)),
  worstMs: Math.max(...rounds.map((round) => round[phase].worstMs)),
});
const [idle, busy] = [summary("idle"), summary("busy")];
const held = { p99Ms: busy.p99Ms - idle.p99Ms, worstMs: busy.worstMs - idle.worstMs };
const isGood = pieces > 0 && held.p99Ms <= P99_MS && held.worstMs <= WORST_MS;
if (values.json) console.log(JSON.stringify({ model: name, backend, rounds, idle, busy, held, pieces }));
else {
  console.log(`${name} on ${cpus()[0]?.model} (${backend.isa}, ${backend.threads} threads), ${pieces} pieces read`);
  for (const [label, { p99Ms, worstMs }] of Object.entries({ idle, generating: busy, held })) {
    console.log(
      `${label.padEnd(12)} p99 ${p99Ms.toFixed(2).padStart(7)} ms   worst ${worstMs.toFixed(2).padStart(7)} ms`,
    );
  }
  console.log(`${isGood ? "ok" : "FAILED"}: at most ${P99_MS} ms (p99) and ${WORST_MS} ms (worst) beyond idle`);
}
process.exitCode = isGood ? 0 : 1;

async function delaysDuring(work) {
  const histogram = monitorEventLoopDelay({ resolution: 1 });
  histogram.enable();
  await work();
  histogram.disable();
  return { p99Ms: histogram.percentile(99) / 1e6, worstMs: histogram.max / 1e6 };
}

async function generateFor(ms) {
  const signal = AbortSignal.timeout(ms);
  await Promise.all(
    Array.from({ length: STREAMS }, async (_, stream) => {
      for (let turn = 0; !signal.aborted; turn++) {
        const ids = Array.from({ length: PROMPT }, (_, i) => 10 + ((i * 7919 + stream * 31 + turn * 17) % 400));
        try {
          for await (const _ of gemma.generate({ ids }, { maxTokens: 64, ignoreEos: true, signal })) pieces++;
        } catch (error) {
          if (error !== signal.reason) throw error;
        }
      }
    }),
  );
}
