import { GemmaError } from "../base/errors.js";
import { pauses } from "../base/macrotask.js";
import { withPauses } from "../base/slices.js";
import type { LoadedAdapter } from "../engine/adapters.js";
import { chatPrompt, type PlainMessage } from "../engine/chat.js";
import { type GenerateOptions, type RequestOptions, resolveRequest } from "../engine/options.js";
import type { ScoreResult } from "../engine/score-job.js";
import { encodePromptSlices, text } from "../tokenizer/prompt.js";
import type { TuneEvent } from "../tune/run/events.js";
import { expectIds, expectLength, expectMessages, expectPrompt, expectText } from "./check-types.js";
import { untilDeadline } from "./deadline.js";
import { answerSampling, styleOf } from "./manner.js";
import { type LoadedModel, loadModel } from "./model.js";
import { toolAnswer } from "./on-demand.js";
import type { Platform } from "./platform.js";
import type { Calls, Conversation, FromWorker, GenerateOutcome, Prompt, ToWorker } from "./protocol.js";
import { runGeneration } from "./run-generation.js";
import { type Call, runJob } from "./run-job.js";
import { wireError } from "./wire-error.js";

/** The engine's side of the protocol, in a worker or in the caller's own thread. */
export class EngineHost {
  private model: LoadedModel | null = null;
  private readonly calls = new Map<number, AbortController>();

  constructor(
    private readonly post: (message: FromWorker) => void,
    private readonly platform: Platform,
  ) {}

  async handle(message: ToWorker): Promise<void> {
    const { id } = message;
    if (message.type === "cancel") {
      this.calls.get(id)?.abort();
      return;
    }
    // Given up while this thread was busy: nothing of it is worth beginning.
    if (message.abort && Atomics.load(message.abort, 0) !== 0) {
      this.post({ type: "error", id, error: { abort: true } });
      return;
    }
    const controller = new AbortController();
    this.calls.set(id, controller);
    const call: Call = {
      event: (event) => this.post({ type: "event", id, event }),
      signal: controller.signal,
      since: performance.now(),
    };
    try {
      const result = await this.dispatch(message, call);
      this.post({ type: "result", id, result });
    } catch (error) {
      this.post({ type: "error", id, error: wireError(error, controller.signal) });
    } finally {
      this.calls.delete(id);
    }
  }

  private dispatch(message: Exclude<ToWorker, { type: "cancel" }>, call: Call): Promise<unknown> {
    switch (message.type) {
      case "load":
        return this.load(message.params, call);
      case "generate":
        return this.generate(message.params, message.abort, call);
      case "chat":
        return this.chat(message.params, message.abort, call);
      case "countTokens":
        return this.countTokens(message.params);
      case "score":
        return this.score(message.params, call);
      case "embed":
        return this.embed(message.params, call);
      case "encode":
        return this.encode(message.params, call);
      case "encodePrompt":
        return this.encodePrompt(message.params, call);
      case "decode":
        return this.decode(message.params);
      case "tokenBytes":
        return this.tokenBytes(message.params);
      case "addAdapter":
        return this.addAdapter(message.params);
      case "removeAdapter":
        return this.removeAdapter(message.params);
      case "stats":
        return this.stats();
      case "tune":
        return this.tune(message.params, call);
      case "tuneAdapter":
        return this.tuneAdapter(message.params, call);
      case "dispose":
        return this.dispose();
      default:
        return message satisfies never;
    }
  }

  private get loaded(): LoadedModel {
    if (this.model) return this.model;
    throw new GemmaError("ERR_DISPOSED", "the model is not loaded, or was disposed");
  }

  private async load(settings: Calls["load"]["params"], call: Call): Promise<Calls["load"]["result"]> {
    expectText("model", settings.model);
    if (settings.draftModel !== undefined) expectText("draftModel", settings.draftModel);
    this.model = await loadModel(settings, this.platform, {
      signal: call.signal,
      progress: (progress) => call.event({ kind: "progress", progress }),
      note: (line) => call.event({ kind: "note", text: line }),
    });
    return this.model.info;
  }

  private async generate(
    { prompt, options }: Calls["generate"]["params"],
    abort: Int32Array | null,
    call: Call,
  ): Promise<GenerateOutcome> {
    return this.holding(options.adapter, async (adapter) => {
      const ids = await this.promptIds(prompt, call, options);
      return runGeneration(this.loaded, { ids, options, adapter }, abort, call);
    });
  }

  private async chat(params: Calls["chat"]["params"], abort: Int32Array | null, call: Call): Promise<GenerateOutcome> {
    expectMessages(params.messages);
    return this.holding(params.options.adapter, (adapter) => this.answer(params, adapter, abort, call));
  }

  private async answer(
    params: Calls["chat"]["params"],
    adapter: LoadedAdapter | null,
    abort: Int32Array | null,
    call: Call,
  ): Promise<GenerateOutcome> {
    const { engine } = this.loaded;
    const { answer, messages, form, sampling } = await this.asWritten(params, params.options.adapter, params.options);
    // An answer needs room: what was asked for, or a quarter of the context.
    const { contextLength } = engine.options;
    const room = Math.min(params.options.maxTokens ?? contextLength >> 2, contextLength >> 1);
    const budget = params.overflow === "error" ? Infinity : contextLength - room; // what does not fit is told below
    const prompt = await untilDeadline(resolveRequest(params.options, call.since), call.signal, (signal) =>
      chatPrompt(engine.tokenizer, messages, form, budget, signal),
    );
    if (prompt.dropped > 0) {
      const what = prompt.dropped === 1 ? "message was" : `${prompt.dropped} messages were`;
      call.event({ kind: "note", text: `the conversation outgrew the context: the oldest ${what} left out` });
    }
    const stop = [...form.stops, ...[params.options.stop ?? []].flat()];
    const options = { ...sampling, ...params.options, stop };
    const request = { ids: prompt.ids, options, adapter, answer };
    return runGeneration(this.loaded, { ...request, droppedMessages: prompt.dropped }, abort, call);
  }

  private async countTokens(params: Calls["countTokens"]["params"]): Promise<number> {
    expectMessages(params.messages);
    const { messages, form } = await this.asWritten(params, params.adapter, {});
    return (await chatPrompt(this.loaded.engine.tokenizer, messages, form, Infinity)).ids.length;
  }

  /** How a conversation is written and answered. The adapter's manner is read before anything is waited for. */
  private async asWritten(conversation: Conversation, adapter: string | undefined, options: GenerateOptions) {
    const manner = this.loaded.mannerOf(adapter);
    const { style = styleOf(manner) } = conversation;
    const answer = await toolAnswer(conversation, options);
    const messages = answer?.messages ?? (conversation.messages as readonly PlainMessage[]);
    const form = await this.loaded.chatForm(style, manner);
    return { answer, messages, form, sampling: answerSampling(style, manner) };
  }

  private async score(params: Calls["score"]["params"], call: Call): Promise<Calls["score"]["result"]> {
    expectIds("after", params.after);
    return this.holding(params.adapter, async (adapter) => {
      const ids = await this.promptIds(params.prompt, call, params.request);
      expectLength(ids, params.request);
      const request = {
        ...params.request,
        first: params.first,
        after: params.after,
        top: params.top,
        ...(params.wantLogits
          ? { onLogits: (position: number, logits: Float32Array) => call.event({ kind: "logits", position, logits }) }
          : {}),
      };
      return runJob(call, null, (resolve, reject) => {
        const sink = {
          done: ({ logprobs, after }: ScoreResult) => {
            const unscored = new Array(ids.length - logprobs.length).fill(null);
            resolve({ ids, logprobs: [...unscored, ...logprobs], after });
          },
          fail: reject,
        };
        return this.loaded.engine.score(ids, request, sink, { since: call.since, adapter });
      });
    });
  }

  private async embed(params: Calls["embed"]["params"], call: Call): Promise<Float32Array> {
    return this.holding(params.adapter, async (adapter) => {
      const ids = await this.promptIds(params.prompt, call, params.request);
      expectLength(ids, params.request);
      const origin = { since: call.since, adapter };
      return runJob(call, null, (resolve, reject) =>
        this.loaded.engine.embed(ids, params.request, { done: resolve, fail: reject }, origin),
      );
    });
  }

  /** Keeps an adapter for all of a request: it may be removed before the request's prompt is encoded. */
  private async holding<T>(name: string | undefined, work: (adapter: LoadedAdapter | null) => Promise<T>): Promise<T> {
    const held = this.loaded.engine.holdAdapter(name);
    try {
      return await work(held.loaded);
    } finally {
      held.release();
    }
  }

  private async encode({ text, specials }: Calls["encode"]["params"], call: Call): Promise<number[]> {
    expectText("text", text);
    const { tokenizer } = this.loaded.engine;
    return [...(await withPauses(tokenizer.encodeSlices(text, { specials }), pauses(call.signal)))];
  }

  private async encodePrompt(params: Calls["encodePrompt"]["params"], call: Call): Promise<number[]> {
    return [...(await this.promptIds(params.prompt, call))];
  }

  private async decode(params: Calls["decode"]["params"]): Promise<string> {
    expectIds("ids", params.ids);
    return this.loaded.engine.tokenizer.decode(params.ids);
  }

  private async tokenBytes(params: Calls["tokenBytes"]["params"]): Promise<Uint8Array[]> {
    expectIds("ids", params.ids);
    return Array.from(params.ids, (id) => this.loaded.engine.tokenizer.tokenBytes(id));
  }

  private async addAdapter({ name, path }: Calls["addAdapter"]["params"]): Promise<Calls["addAdapter"]["result"]> {
    return this.loaded.addAdapter(name, path);
  }

  private async removeAdapter({ name }: Calls["removeAdapter"]["params"]): Promise<null> {
    this.loaded.removeAdapter(name);
    return null;
  }

  private async stats(): Promise<Calls["stats"]["result"]> {
    return this.loaded.engine.stats();
  }

  /** In place of a loaded model. */
  private tune(settings: Calls["tune"]["params"], call: Call): Promise<Calls["tune"]["result"]> {
    return this.platform.tune(settings, {
      signal: call.signal,
      event: (event) => call.event({ kind: "tune", event }),
      progress: (progress) => call.event({ kind: "progress", progress }),
    });
  }

  private tuneAdapter(settings: Calls["tuneAdapter"]["params"], call: Call): Promise<Calls["tuneAdapter"]["result"]> {
    const event = (event: TuneEvent) => call.event({ kind: "tune", event });
    return this.platform.tuneAdapter(this.loaded, settings, { signal: call.signal, event });
  }

  private async dispose(): Promise<null> {
    this.model?.dispose();
    this.model = null;
    return null;
  }

  private async promptIds(prompt: Prompt, call: Call, options: RequestOptions = {}): Promise<readonly number[]> {
    expectPrompt(prompt);
    if (typeof prompt !== "string" && "ids" in prompt) return prompt.ids;
    const segments = typeof prompt === "string" ? [text(prompt)] : prompt;
    const slices = encodePromptSlices(this.loaded.engine.tokenizer, segments, { bos: true });
    const request = resolveRequest(options, call.since);
    return [...(await untilDeadline(request, call.signal, (signal) => withPauses(slices, pauses(signal))))];
  }
}
