import type { Texts } from "../../text/texts.js";
import { filled } from "../../text/texts.js";
import type { Answer, AnswerOptions, Engine, Message, Origin, Token } from "../engine.js";
import { numberText } from "../format.js";
import {
  type LoadedModel,
  type LoadProgress,
  library,
  type ModelPlan,
  type OfferedModel,
  type Piece,
} from "./library.js";
import { measureMemory } from "./memory.js";
import { Stopwatch } from "./stopwatch.js";

/** A model that computes in this page: a name that is offered here or stored, or a file. */
export type PageModel = string | File;

/** Where the site's models lie: beside its pages, whoever serves them. */
export const MODELS = new URL("models/", document.querySelector<HTMLLinkElement>("link[rel=manifest]")!.href);

export interface ListedModel {
  readonly name: string;
  readonly label: string;
  readonly sizeBytes: number;
  /** Of these, on this device. */
  readonly storedBytes: number;
}

/** What is offered here, and what is on this device from an earlier visit; each alone where the other cannot be had. */
export async function listModels(): Promise<readonly ListedModel[]> {
  const { offeredModels, listStoredModels } = await library();
  const [offered, stored] = await Promise.all([
    offeredModels({ models: MODELS }).catch((): readonly OfferedModel[] => []),
    listStoredModels().catch(() => []),
  ]);
  const bytesOf = new Map(stored.map(({ name, storedBytes }) => [name, storedBytes]));
  const here = offered.map(({ name, label, sizeBytes }) => ({
    name,
    label,
    sizeBytes,
    storedBytes: bytesOf.get(name) ?? 0,
  }));
  const others = stored.filter(({ name, isComplete }) => isComplete && !offered.some((one) => one.name === name));
  return [...here, ...others.map(({ name, sizeBytes }) => ({ name, label: name, sizeBytes, storedBytes: sizeBytes }))];
}

export async function planFor(model: PageModel, signal: AbortSignal): Promise<ModelPlan> {
  return (await library()).planModel(model, { models: MODELS, signal });
}

export async function removeModel(name: string): Promise<void> {
  await (await library()).removeStoredModel(name);
}

export interface LoadHooks {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: LoadProgress) => void;
  readonly onNote: (line: string) => void;
}

export async function loadInPage(model: PageModel, hooks: LoadHooks, texts: Texts): Promise<Engine> {
  const { Gemma, persistStorage } = await library();
  persistStorage().catch(() => {}); // asked, and whatever the answer is, the model loads
  const gemma = await Gemma.load(model, { models: MODELS, ...hooks });
  const { name, backend, contextLength, chatStyle } = gemma.info;
  const threads =
    backend.threads === 1
      ? texts.playground.model.threads.one
      : filled(texts.playground.model.threads.many, { n: backend.threads });
  const origin: Origin = typeof model === "string" ? { kind: "name", name: model } : { kind: "file", name: model.name };
  return {
    name: typeof model === "string" ? name : model.name,
    origin,
    isPretrained: chatStyle === "qa",
    facts: [
      { name: "backend", value: [backend.name, backend.isa, threads].filter(Boolean).join(", ") },
      { name: "context", value: filled(texts.playground.model.tokens, { n: numberText(contextLength, texts) }) },
    ],
    answer: (messages, options) => answer(gemma, messages, options),
    memoryBytes: measureMemory,
    dispose: () => gemma.dispose(),
  };
}

async function answer(
  gemma: LoadedModel,
  messages: readonly Message[],
  { sampling, signal, onText }: AnswerOptions,
): Promise<Answer> {
  const { logprobs, ...rest } = sampling;
  const generation = gemma.answer(messages, { ...rest, signal, ...(logprobs ? { logprobs: 5 } : {}) });
  const watch = new Stopwatch();
  const pieces: Piece[] = [];
  try {
    for await (const piece of generation.tokens()) {
      watch.tick();
      pieces.push(piece);
      if (piece.text !== "") onText(piece.text);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    const tokens = await tokensOf(gemma, pieces);
    return { finish: "stopped", tokens, measures: watch.measures(tokens.length) };
  }
  const { finishReason, timings } = await generation.result;
  return {
    finish: finishReason === "length" ? "length" : "stop",
    tokens: await tokensOf(gemma, pieces),
    measures: { tokens: timings.generatedTokens, firstTokenMs: timings.firstTokenMs, decodeMs: timings.decodeMs },
  };
}

/** Tokens by their own bytes: what a piece adds to the text may lag behind, where a character has several tokens. */
async function tokensOf(gemma: LoadedModel, pieces: readonly Piece[]): Promise<Token[]> {
  const given = pieces.filter((piece) => piece.id !== null);
  const ids = new Set(given.flatMap(({ id, logprob }) => [id!, ...(logprob?.top ?? []).map((top) => top.id)]));
  const list = [...ids];
  const bytes = await gemma.tokenBytes(list);
  const decoder = new TextDecoder();
  const texts = new Map(list.map((id, i) => [id, decoder.decode(bytes[i])]));
  return given.map(({ id, logprob }) => ({
    id,
    text: texts.get(id!) ?? "",
    probability: logprob === null ? null : Math.exp(logprob.logprob),
    alternatives: (logprob?.top ?? []).map((top) => ({
      id: top.id,
      text: texts.get(top.id) ?? "",
      probability: Math.exp(top.logprob),
    })),
  }));
}
