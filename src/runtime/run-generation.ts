import type { LoadedAdapter } from "../engine/adapters.js";
import type { GenerationSink, Piece } from "../engine/generate-job.js";
import { type GenerateOptions, resolveRequest } from "../engine/options.js";
import { expectLength } from "./check-types.js";
import { untilDeadline } from "./deadline.js";
import type { GrammarMask } from "./grammar.js";
import type { LoadedModel } from "./model.js";
import { grammarOf } from "./on-demand.js";
import type { GenerateOutcome } from "./protocol.js";
import { type Call, runJob } from "./run-job.js";
import type { ToolAnswer } from "./tool-answer.js";

export interface GenerationRequest {
  /** Of the prompt, used as they are. */
  readonly ids: readonly number[];
  readonly options: GenerateOptions;
  /** Held by the caller until the generation has ended; null: none. */
  readonly adapter: LoadedAdapter | null;
  /** How calls are read out of the text; null: there are none. */
  readonly answer?: ToolAnswer | null;
  /** Messages of the conversation that the prompt leaves out. Default: 0. */
  readonly droppedMessages?: number;
}

/** Runs a generation to its end; its pieces are events of the call. */
export async function runGeneration(
  model: LoadedModel,
  { ids, options, adapter, answer = null, droppedMessages = 0 }: GenerationRequest,
  abort: Int32Array | null,
  call: Call,
): Promise<GenerateOutcome> {
  const { engine } = model;
  const { since } = call;
  expectLength(ids, options);
  const show = (piece: Piece) => call.event({ kind: "pieces", pieces: [piece] });
  const mask = await maskOf(model, options, call, answer);
  let firstTokenMs = 0;
  let lastTokenMs = 0;
  let generatedTokens = 0;
  return runJob<GenerateOutcome>(call, abort, (resolve, reject) => {
    const sink: GenerationSink = {
      piece: (piece) => {
        lastTokenMs = performance.now() - since;
        if (generatedTokens === 0) firstTokenMs = lastTokenMs;
        if (piece.id !== null) generatedTokens++;
        show(answer ? { ...piece, text: answer.push(piece.text) } : piece);
      },
      done: (finishReason, { proposed, accepted, cached, queueMs }) => {
        const decodeMs = lastTokenMs - firstTokenMs;
        const tokens = { promptTokens: ids.length, cachedTokens: cached, generatedTokens };
        const drafts = { proposedTokens: proposed, acceptedTokens: accepted };
        const timings = { ...tokens, queueMs, firstTokenMs, decodeMs, ...drafts };
        const rest = answer?.end() ?? "";
        if (rest !== "") show({ text: rest, id: null, logprob: null });
        const outcome = { finishReason, timings, droppedMessages };
        resolve(answer ? answer.outcome(outcome) : outcome);
      },
      fail: reject,
    };
    const job = engine.generate(ids, options, mask, sink, { since, adapter });
    if (mask) mask.onFail = (error) => job.cancel(error);
    call.event({ kind: "prompt", tokens: ids.length });
    return job;
  }).finally(() => mask?.close());
}

/** null: the text is free. */
async function maskOf(
  model: LoadedModel,
  options: GenerateOptions,
  call: Call,
  answer: ToolAnswer | null,
): Promise<GrammarMask | null> {
  const grammar = answer ? answer.grammar : await grammarOf(options.jsonSchema);
  if (grammar === null) return null;
  const request = resolveRequest(options, call.since);
  return untilDeadline(request, call.signal, (signal) => model.mask(grammar, signal));
}
