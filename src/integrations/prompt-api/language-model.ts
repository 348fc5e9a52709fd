import { abortable, withSignals } from "./abort.js";
import { creationError, domException } from "./errors.js";
import { ModelLoad, type PromptApiSource } from "./load.js";
import { toMessages } from "./messages.js";
import { PARAMS, toSampling } from "./sampling.js";
import { LanguageModelSession, type SessionDefaults } from "./session.js";
import type {
  Availability,
  LanguageModelCreateCoreOptions,
  LanguageModelCreateOptions,
  LanguageModelExpected,
  LanguageModelParams,
} from "./types.js";

/** What a browser's `LanguageModel` offers. */
export interface LanguageModel {
  availability(options?: LanguageModelCreateCoreOptions): Promise<Availability>;
  params(): Promise<LanguageModelParams>;
  create(options?: LanguageModelCreateOptions): Promise<LanguageModelSession>;
}

/**
 * A model in the shape of the browser's Prompt API.
 *
 * @param source a loaded model, or how to load it for the first session
 * @param defaults options of `gemma.answer` that the API has no name for
 *
 * @example
 * const LanguageModel = createLanguageModel((options) => Gemma.load("gemma-3-270m", options));
 * const session = await LanguageModel.create({ initialPrompts: [{ role: "system", content: "Be brief." }] });
 * console.log(await session.prompt("Why is the sky blue?"));
 */
export function createLanguageModel(source: PromptApiSource, defaults: SessionDefaults = {}): LanguageModel {
  const load = new ModelLoad(source);
  return {
    async availability(options = {}) {
      return isSupported(options) ? load.availability : "unavailable";
    },
    async params() {
      return PARAMS;
    },
    async create(options = {}) {
      const sampling = toSampling(options);
      const initial = options.initialPrompts?.length ? toMessages(options.initialPrompts, false) : [];
      if (!isSupported(options)) throw domException("NotSupportedError", "only text is read and written");
      const monitor = new EventTarget();
      options.monitor?.(monitor);
      return withSignals([options.signal], async (signal) => {
        const onFraction = (loaded: number) => {
          if (!signal.aborted) monitor.dispatchEvent(progressEvent(loaded));
        };
        const gemma = await abortable(load.model(onFraction), signal).catch((error) => {
          throw signal.aborted ? error : creationError(error);
        });
        const parts = { gemma, sampling, tools: options.tools ?? [], defaults };
        return abortable(LanguageModelSession.start(parts, initial, options.signal), signal);
      });
    },
  };
}

function isSupported({ expectedInputs = [], expectedOutputs = [] }: LanguageModelCreateCoreOptions): boolean {
  const all = (expected: readonly LanguageModelExpected[], types: readonly string[]) =>
    expected.every(({ type, languages = [] }) => {
      Intl.getCanonicalLocales(languages); // a RangeError for what is no language; none is refused
      return types.includes(type);
    });
  return all(expectedInputs, ["text", "tool-response"]) && all(expectedOutputs, ["text", "tool-call"]);
}

/** Node has no ProgressEvent. */
function progressEvent(loaded: number): Event {
  return Object.assign(new Event("downloadprogress"), { lengthComputable: true, loaded, total: 1 });
}
