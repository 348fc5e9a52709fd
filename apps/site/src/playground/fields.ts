/** The numbers that a reader can set, with their ranges. */
export const FIELDS = [
  { name: "temperature", min: 0, max: 5, step: 0.05 },
  { name: "topK", min: 0, max: 1000, step: 1 },
  { name: "topP", min: 0, max: 1, step: 0.01 },
  { name: "minP", min: 0, max: 1, step: 0.01 },
  { name: "repetitionPenalty", min: 0.5, max: 2, step: 0.01 },
  { name: "maxTokens", min: 1, max: 8192, step: 1 },
  { name: "seed", min: 0, max: Number.MAX_SAFE_INTEGER, step: 1 },
] as const;

export type FieldName = (typeof FIELDS)[number]["name"];

/** Gemma's own: those of its generation_config. */
export const DEFAULTS: Readonly<Record<Exclude<FieldName, "seed">, number>> = {
  temperature: 1,
  topK: 64,
  topP: 0.95,
  minP: 0,
  repetitionPenalty: 1,
  maxTokens: 512,
};

/** A model that was never taught to answer need not ramble for long. */
export const PRETRAINED_DEFAULTS: typeof DEFAULTS = { ...DEFAULTS, maxTokens: 256 };
