import type {
  BackendName,
  BrowserFeatures,
  Gemma,
  LoadProgress,
  ModelPlan,
  OfferedModel,
  Piece,
  StoredModel,
} from "gemma-ts/web";
import { filled, type Texts } from "../../text/texts.js";
import type { Answer, AnswerOptions, Engine, Message, Origin, Token } from "../engine.js";
import { numberText } from "../format.js";
import { measureMemory } from "./memory.js";
import { Stopwatch } from "./stopwatch.js";

/** A model that computes in this page: a name that is offered here or stored, or a file. */
export type PageModel = string | File;

/** Where the site's models lie: beside its pages, whoever serves them. */
const MODELS = new URL("models/", document.querySelector<HTMLLinkElement>("link[rel=manifest]")!.href);

/** The library is fetched when a model is first looked for, not before the page can be read. */
const library = () => import("gemma-ts/web");

export interface ListedModel {
  readonly name: string;
  readonly label: string;
  /** With its base, where it is an adapter. */
  readonly sizeBytes: number;
  /** Of these, on this device. */
  readonly storedBytes: number;
}

/** What is offered here, those that answer first, and what is on this device from earlier; each alone where the other fails. */
export async function listModels(): Promise<readonly ListedModel[]> {
  const { offeredModels, listStoredModels } = await library();
  const [offered, stored] = await Promise.all([
    offeredModels({ models: MODELS }).catch((): readonly OfferedModel[] => []),
    listStoredModels().catch((): readonly StoredModel[] => []),
  ]);
  const bytesOf = new Map(stored.map(({ name, storedBytes }) => [name, storedBytes]));
  const listed = offered.map(({ name, label, sizeBytes, base }): ListedModel => {
    const under = offered.find((one) => one.name === base);
    const storedBytes = (bytesOf.get(name) ?? 0) + (bytesOf.get(base ?? "") ?? 0);
    return { name, label, sizeBytes: sizeBytes + (under?.sizeBytes ?? 0), storedBytes };
  });
  const tuned = new Set(offered.filter(({ base }) => base !== undefined).map(({ name }) => name));
  const others = stored.filter(({ name, isComplete }) => isComplete && !offered.some((one) => one.name === name));
  return [
    ...listed.filter(({ name }) => tuned.has(name)),
    ...listed.filter(({ name }) => !tuned.has(name)),
    ...others.map(({ name, sizeBytes }) => ({ name, label: name, sizeBytes, storedBytes: sizeBytes })),
  ];
}

export async function planFor(model: PageModel, signal: AbortSignal): Promise<ModelPlan> {
  return (await library()).planModel(model, { models: MODELS, signal });
}

/** In the order in which they are chosen, each with why it cannot run if so. */
export async function backendsHere(): Promise<BrowserFeatures["backends"]> {
  return (await (await library()).browserFeatures()).backends;
}

export async function removeModel(name: string): Promise<void> {
  await (await library()).removeStoredModel(name);
}

export interface LoadHooks {
  /** Absent: the fastest that runs. */
  readonly backend?: BackendName;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: LoadProgress) => void;
  readonly onNote: (line: string) => void;
}

export async function loadInPage(model: PageModel, hooks: LoadHooks, texts: Texts): Promise<Engine> {
  const { Gemma, persistStorage } = await library();
  persistStorage().catch(() => {}); // asked, and whatever the answer is, the model loads
  const gemma = await Gemma.load(model, { models: MODELS, ...hooks });
  const { name, backend, contextLength, chatStyle, sampling } = gemma.info;
  const { threads, tokens, otherTab } = texts.playground.model;
  const parts = [
    backend.name,
    backend.isa,
    backend.threads === 1 ? threads.one : filled(threads.many, { n: backend.threads }),
    gemma.holder === "other-tab" && otherTab,
  ];
  const origin: Origin = typeof model === "string" ? { kind: "name", name: model } : { kind: "file", name: model.name };
  return {
    name: typeof model === "string" ? name : model.name,
    origin,
    isPretrained: chatStyle === "qa",
    defaults: sampling,
    facts: [
      { name: "backend", value: parts.filter(Boolean).join(", ") },
      { name: "context", value: filled(tokens, { n: numberText(contextLength, texts) }) },
    ],
    answer: (messages, options) => answer(gemma, messages, options),
    memoryBytes: measureMemory,
    dispose: () => gemma.dispose(),
  };
}

async function answer(
  gemma: Gemma,
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
async function tokensOf(gemma: Gemma, pieces: readonly Piece[]): Promise<Token[]> {
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
