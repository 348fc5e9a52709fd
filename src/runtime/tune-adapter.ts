import { GemmaError } from "../base/errors.js";
import { GEMMA_TEMPLATE } from "../tokenizer/gemma-template.js";
import { type DataRow, rowsSource } from "../tune/data/source.js";
import { parseTuneConfig, type TuneOptions } from "../tune/run/config.js";
import type { TuneEvent, TuneResult } from "../tune/run/events.js";
import { Learner } from "../tune/run/learner.js";
import { type PeftFile, peftFiles } from "../tune/run/peft-files.js";
import { expectFits, planWork } from "../tune/run/plan-work.js";
import { prepareData } from "../tune/run/prepare-data.js";
import { train } from "../tune/run/train.js";
import { UnsavedRun } from "../tune/run/unsaved-run.js";
import { expectTrains } from "../tune/trainer.js";
import { templateFor } from "./manner.js";
import type { LoadedModel } from "./model.js";

/** What an adapter is to learn; plain data. */
export interface TuneAdapterSettings {
  readonly rows: readonly DataRow[];
  /** What is measured instead of learned; none: what the options draw. */
  readonly heldOutRows: readonly DataRow[];
  readonly options: TuneOptions;
}

/** An adapter as files in memory, and what it took. */
export interface TunedAdapter extends Pick<TuneResult, "steps" | "loss" | "heldOut" | "costs"> {
  readonly files: readonly { readonly name: string; readonly bytes: Uint8Array }[];
}

/**
 * Tunes an adapter on the weights of a loaded model, which go on answering between two micro-batches. It is on the base:
 * the model's own adapter has no part in it. Nothing is kept but what is returned.
 *
 * @throws ERR_USAGE for full tuning or a run in other activations than the model's; ERR_UNSUPPORTED_OP for a backend that
 *   does not train; what reading data, planning and training throw; the reason of the aborted signal
 */
export async function tuneAdapter(
  { engine, base, info, platform, engineBytes }: LoadedModel,
  { rows, heldOutRows, options }: TuneAdapterSettings,
  listener: { readonly signal: AbortSignal; event(event: TuneEvent): void },
): Promise<TunedAdapter> {
  const { signal } = listener;
  const { backend, config: model, weights } = engine.parts;
  expectTrains(backend);
  const given = parseTuneConfig({ activations: backend.info().activations, ...options });
  const config = { ...given, template: given.template ?? templateFor(base, info.name) };
  if (config.method === "full") {
    throw new GemmaError("ERR_USAGE", "tune: a loaded model must keep its weights, got the method full", {
      hint: "choose the method lora",
    });
  }
  if (config.activations !== backend.info().activations) {
    const loaded = backend.info().activations;
    throw new GemmaError("ERR_USAGE", `tune: activations must be the model's, ${loaded}, got ${config.activations}`, {
      hint: `load the model with activations: "${config.activations}"`,
    });
  }
  const heldOut = heldOutRows.length > 0 ? [rowsSource("held-out rows", heldOutRows)] : [];
  const sources = { data: [rowsSource("rows", rows)], heldOut };
  const data = await prepareData(sources, engine.tokenizer, config, signal);
  const { bytes, says } = platform.memoryLimit();
  const limit = { bytes: bytes - engineBytes, says: `beside the loaded model ${says}` };
  const place = { backend: backend.info().name, memoryBytes: limit.bytes };
  const work = planWork(model, info.weights.bytes, config, data, place);
  for (const event of work.events) listener.event(event);
  expectFits(info.name, work, config, limit);
  const learner = new Learner(backend, model, weights, config, work.options);
  try {
    const store = new UnsavedRun(info.name);
    const { plan, heldOut } = work;
    for await (const event of train({ learner, config, plan, heldOut, store, signal })) listener.event(event);
    const notes = {
      baseModel: info.base ?? info.name,
      chatTemplate: config.template === "gemma" ? GEMMA_TEMPLATE : null,
    };
    const files = await Promise.all(peftFiles(learner, config, notes).map(wholeFile));
    return { files, ...store.outcome(plan.steps) };
  } finally {
    learner.free();
  }
}

async function wholeFile({ name, slices }: PeftFile): Promise<{ name: string; bytes: Uint8Array }> {
  const parts: BlobPart[] = [];
  for await (const slice of slices) parts.push(slice.slice());
  return { name, bytes: new Uint8Array(await new Blob(parts).arrayBuffer()) };
}

export type TuneAdapter = typeof tuneAdapter;
