import type { LanguageModelCreateCoreOptions, LanguageModelParams, LanguageModelSamplingMode } from "./types.js";

/** Defaults are those of Gemma's generation_config. */
export const PARAMS: LanguageModelParams = {
  defaultTopK: 64,
  maxTopK: 128,
  defaultTemperature: 1,
  maxTemperature: 2,
};

const TEMPERATURES: Readonly<Record<LanguageModelSamplingMode, number>> = {
  "most-predictable": 0,
  predictable: 0.5,
  balanced: PARAMS.defaultTemperature,
  creative: 1.25,
  "most-creative": 1.5,
};

export interface Sampling {
  readonly mode: LanguageModelSamplingMode;
  readonly temperature: number;
  readonly topK: number;
}

/** @throws RangeError for a number below what it may be; TypeError for a mode beside numbers, or none of the known ones */
export function toSampling(options: LanguageModelCreateCoreOptions): Sampling {
  const { samplingMode: mode = "balanced", temperature, topK } = options;
  if (!Object.hasOwn(TEMPERATURES, mode)) throw new TypeError(`samplingMode: must be a known mode, got ${mode}`);
  if (options.samplingMode !== undefined && (temperature !== undefined || topK !== undefined)) {
    throw new TypeError("samplingMode: must not be beside temperature or topK");
  }
  if (temperature !== undefined && !(temperature >= 0)) {
    throw new RangeError(`temperature: must be at least 0, got ${temperature}`);
  }
  if (topK !== undefined && !(topK >= 1)) throw new RangeError(`topK: must be at least 1, got ${topK}`);
  return {
    mode,
    temperature: Math.min(temperature ?? TEMPERATURES[mode], PARAMS.maxTemperature),
    topK: Math.min(Math.floor(topK ?? PARAMS.defaultTopK), PARAMS.maxTopK),
  };
}
