import type { Command } from "commander";
import { GemmaError } from "../base/errors.js";
import type { ScoreOutcome } from "../runtime/protocol.js";
import type { CliContext } from "./context.js";
import { jsonLines, readPrompt, tokenIds } from "./input.js";
import { ADAPTER, addModelFlags, integer, loadGemma, type ModelFlags } from "./model-options.js";

interface ScoreFlags extends ModelFlags {
  readonly top: number;
  readonly logits?: string;
}

/** `gemma score`: log-probabilities of each token of given texts. */
export function register(program: Command, context: CliContext): void {
  const command = program
    .command("score")
    .description("log-probabilities of given text; with --json, JSON lines of {ids} or {text} on standard input")
    .argument("[text]", "the text; standard input where there is none")
    .option("--top <n>", "alternatives with each token", integer(0, 1000), 0)
    .option("--logits <file>", "write logits as safetensors: a tensor logits.<line> [T, V] a line");
  addModelFlags(command).action((text: string | undefined, flags: ScoreFlags) => score(text, flags, context));
}

/** A line of input: ids as they are, or text that gets a BOS. */
type ScoreInput = { readonly ids: readonly number[] } | string;

async function score(text: string | undefined, flags: ScoreFlags, context: CliContext): Promise<void> {
  const { output, signal } = context;
  const inputs = output.json && text === undefined ? inputLines(signal) : [await readPrompt(text, signal)];
  const gemma = await loadGemma(flags, context);
  const writer = flags.logits === undefined ? null : await logitsWriter(flags.logits, gemma.info.config.vocabSize);
  try {
    let line = 0;
    for await (const input of inputs) {
      const result = await gemma.score(input, {
        top: flags.top,
        signal,
        ...(flags.adapter === undefined ? {} : { adapter: ADAPTER }),
        ...(writer ? { onLogits: (_position: number, logits: Float32Array) => writer.row(line, logits) } : {}),
      });
      line++;
      output.data({
        ids: result.ids,
        logprobs: result.logprobs.map((token) => token?.logprob ?? null),
        top: result.logprobs.map((token) => token?.top ?? null),
      });
      if (!output.json) await printScores(result, (id) => gemma.decode([id]), context);
    }
    writer?.finish();
  } finally {
    writer?.abandon();
  }
  await gemma.dispose();
}

/** As they come: who writes a line and waits for its answer gets it. */
async function* inputLines(signal: AbortSignal): AsyncGenerator<ScoreInput> {
  for await (const { line, object } of jsonLines(signal)) yield inputOf(object, `standard input, line ${line}`);
}

function inputOf(object: ReadonlyMap<string, unknown>, where: string): ScoreInput {
  const ids = object.get("ids");
  if (ids !== undefined) return { ids: tokenIds(ids, `${where}: ids`) };
  const text = object.get("text");
  if (typeof text === "string") return text;
  throw new GemmaError("ERR_MISSING_KEY", `${where}: must have ids or text`);
}

async function logitsWriter(path: string, vocabSize: number) {
  const { LogitsWriter } = await import("./logits-file.js");
  return new LogitsWriter(path, vocabSize);
}

async function printScores(
  { ids, logprobs }: ScoreOutcome,
  textOf: (id: number) => Promise<string>,
  { output }: CliContext,
): Promise<void> {
  let sum = 0;
  let count = 0;
  for (const [i, id] of ids.entries()) {
    const logprob = logprobs[i]?.logprob;
    if (logprob !== undefined) {
      sum += logprob;
      count++;
    }
    output.line(`${logprob?.toFixed(4).padStart(10) ?? " ".repeat(10)}  ${JSON.stringify(await textOf(id))}`);
  }
  if (count === 0) return;
  output.line(`${count} tokens, mean ${(sum / count).toFixed(4)}, perplexity ${Math.exp(-sum / count).toFixed(3)}`);
}
