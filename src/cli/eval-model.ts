import { GemmaError } from "../base/errors.js";
import type { RunHeader } from "../eval/results.js";
import type { LanguageModel } from "../lm/language-model.js";
import { OpenAiEndpoint } from "../lm/openai-endpoint.js";
import { modelHash } from "../load/model-hash.js";
import type { Gemma } from "../runtime/gemma.js";
import { GemmaLanguageModel } from "../runtime/language-model.js";
import type { CliContext } from "./context.js";
import type { EvalFlags } from "./eval.js";
import { ADAPTER, loadGemma } from "./model-options.js";

/** Sequences that the engine computes together: short items fill a step. */
const SEQUENCES = 32;

export interface OpenedModel {
  readonly model: LanguageModel;
  /** null: nobody can know. */
  readonly sha256: string | null;
  /** What its numbers depend on. Threads are not among it: results are the same on any number. */
  readonly settings: RunHeader["settings"];
  /** null: those of an endpoint. */
  readonly threads: number | null;
  dispose(): Promise<void>;
}

/** The model that the flags name: loaded here, or behind an endpoint. */
export async function openModel(flags: EvalFlags, context: CliContext): Promise<OpenedModel> {
  if (flags.endpoint !== undefined) return openEndpoint(flags.endpoint, flags);
  const gemma = await loadGemma(flags, context, { maxSequences: SEQUENCES });
  const adapter = flags.adapter ?? gemma.info.adapter;
  const hash = (file: string) => modelHash(file, context.signal);
  return {
    model: new GemmaLanguageModel(gemma, flags.adapter === undefined ? {} : { adapter: ADAPTER }),
    sha256: await hash(gemma.info.path),
    settings: { ...modelSettings(gemma), adapter: adapter === undefined ? null : await hash(adapter) },
    threads: gemma.info.backend.threads,
    dispose: () => gemma.dispose(),
  };
}

/** What a loaded model's numbers depend on, beside its weights. */
export function modelSettings({ info: { backend, kv, contextLength } }: Gemma): RunHeader["settings"] {
  return { backend: backend.name, isa: backend.isa, activations: backend.activations, kv, contextLength };
}

function openEndpoint(url: string, { model, ctx }: EvalFlags): OpenedModel {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new GemmaError("ERR_USAGE", `eval: --endpoint must be an http or https address, got ${url}`);
  }
  const key = process.env.GEMMA_ENDPOINT_KEY;
  const options = { url, model, ...(key ? { key } : {}), ...(ctx === undefined ? {} : { contextLength: ctx }) };
  return {
    model: new OpenAiEndpoint(options),
    sha256: null,
    settings: { endpoint: url, contextLength: ctx ?? null },
    threads: null,
    dispose: async () => {},
  };
}
