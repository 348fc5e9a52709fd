import type { Command } from "commander";
import { seededRng } from "../base/rng.js";
import type { Gemma } from "../runtime/gemma.js";
import type { CliContext } from "./context.js";
import { ADAPTER, addModelFlags, integer, loadGemma, type ModelFlags } from "./model-options.js";
import { formatBytes } from "./progress.js";

interface BenchFlags extends ModelFlags {
  readonly prefill: number;
  readonly decode: number;
  readonly repeat: number;
}

/** `gemma bench`: speed of loading, prefill and decode, and peak memory, on this machine. */
export function register(program: Command, context: CliContext): void {
  const command = program
    .command("bench")
    .description("measure loading, prefill, decode and peak memory")
    .option("--prefill <n>", "tokens of the prompt", integer(1, 1 << 20), 512)
    .option("--decode <n>", "tokens to generate", integer(1, 1 << 20), 128)
    .option("--repeat <n>", "runs; the median is shown", integer(1, 100), 3);
  addModelFlags(command).action((flags: BenchFlags) => bench(flags, context));
}

interface Run {
  readonly firstTokenMs: number;
  readonly prefillTokensPerSecond: number;
  readonly decodeTokensPerSecond: number;
}

async function bench(flags: BenchFlags, context: CliContext): Promise<void> {
  const { output, signal } = context;
  const start = performance.now();
  const gemma = await loadGemma(flags, context);
  const loadMs = performance.now() - start;
  const runs: Run[] = [];
  await measure(gemma, flags, 0, signal); // warms up threads and pages, not counted
  for (let i = 1; i <= flags.repeat; i++) runs.push(await measure(gemma, flags, i, signal));
  const { backend, headIsScreened } = gemma.info;
  const result = {
    loadMs,
    timeToFirstTokenMs: median(runs.map((r) => r.firstTokenMs)),
    prefillTokensPerSecond: median(runs.map((r) => r.prefillTokensPerSecond)),
    decodeTokensPerSecond: median(runs.map((r) => r.decodeTokensPerSecond)),
    peakRssBytes: process.resourceUsage().maxRSS * 1024, // KiB on every system, says libuv
    threads: backend.threads,
    backend: backend.name,
    isa: backend.isa,
    headIsScreened,
  };
  await gemma.dispose();
  const perSecond = (value: number) => `${value.toFixed(1)} tokens/s`;
  output.line(`${gemma.info.name} on ${backend.name} (${backend.isa}), ${backend.threads} threads`);
  output.line(`load                 ${loadMs.toFixed(0)} ms`);
  output.line(`prefill ${String(flags.prefill).padStart(6)}       ${perSecond(result.prefillTokensPerSecond)}`);
  const how = headIsScreened ? ", head screened" : "";
  output.line(`decode  ${String(flags.decode).padStart(6)}       ${perSecond(result.decodeTokensPerSecond)}${how}`);
  output.line(`time to first token  ${result.timeToFirstTokenMs.toFixed(0)} ms behind a prompt of ${flags.prefill}`);
  output.line(`peak memory          ${formatBytes(result.peakRssBytes)}`);
  output.data(result);
}

/** One prompt of random tokens (another each time: nothing comes from a remembered prefix) and its continuation. */
async function measure(gemma: Gemma, flags: BenchFlags, seed: number, signal: AbortSignal): Promise<Run> {
  const { vocabSize, bosTokenId } = gemma.info.config;
  const rng = seededRng(seed);
  const ids = [bosTokenId, ...Array.from({ length: flags.prefill - 1 }, () => rng.integer(vocabSize))];
  // Without prompt lookup: random prompts end in loops, which it guesses. npm run bench:lookup measures it.
  const options = { maxTokens: flags.decode + 1, temperature: 0, ignoreEos: true, promptLookup: false, signal };
  const adapter = flags.adapter === undefined ? {} : { adapter: ADAPTER };
  const { timings } = await gemma.generate({ ids }, { ...options, ...adapter }).result;
  return {
    firstTokenMs: timings.firstTokenMs,
    prefillTokensPerSecond: (flags.prefill / timings.firstTokenMs) * 1000,
    decodeTokensPerSecond: ((timings.generatedTokens - 1) / timings.decodeMs) * 1000,
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
