/** What a layer's attention sees: every key up to the row's own, or the last `slidingWindow` of them. */
export type LayerType = "full" | "sliding";

/**
 * The hyper-parameters of a Gemma text model; names follow Hugging Face's config.json. What differs between
 * generations is data here, never code of its own.
 */
export interface GemmaConfig {
  readonly generation: 1 | 2 | 3;
  readonly vocabSize: number; //         V
  readonly hiddenSize: number; //        D
  readonly intermediateSize: number; //  F
  readonly numHiddenLayers: number;
  readonly numAttentionHeads: number; // N
  readonly numKeyValueHeads: number; //  K; query head n reads key/value head n // (N / K)
  readonly headDim: number; //           H; N * H need not be D
  readonly rmsNormEps: number;
  /** Positions the model was trained for. */
  readonly maxPositionEmbeddings: number;
  /** RoPE base of full layers (and of sliding ones in Gemma 1 and 2). */
  readonly ropeTheta: number;
  /** RoPE base of sliding layers. */
  readonly ropeLocalTheta: number;
  /** Linear RoPE scaling of full layers: position / factor. 1: none. Sliding layers are never scaled. */
  readonly ropeScalingFactor: number;
  /** Scores are multiplied by queryPreAttnScalar^-0.5. Gemma 1: headDim. */
  readonly queryPreAttnScalar: number;
  /** Gemma 2: 50. null: none. */
  readonly attnLogitSoftcapping: number | null;
  /** Gemma 2: 30. null: none. */
  readonly finalLogitSoftcapping: number | null;
  /** Keys a sliding layer's row sees, itself included. null: no layer slides. */
  readonly slidingWindow: number | null;
  /** One a layer. */
  readonly layerTypes: readonly LayerType[];
  /** Gemma 3: RMS norm over each head of q and k, before RoPE. */
  readonly qkNorm: boolean;
  /** Gemma 2 and 3: a norm behind attention and behind the FFN, before the residual sum. */
  readonly postNorms: boolean;
  readonly bosTokenId: number;
  readonly eosTokenIds: readonly number[];
}

/** Gemma 2: layers 0, 2, 4 … slide. Gemma 3: every sixth layer is full. Gemma 1: none slides. */
export function defaultLayerTypes(generation: 1 | 2 | 3, layers: number, pattern?: number): LayerType[] {
  const period = pattern ?? (generation === 2 ? 2 : 6);
  return Array.from({ length: layers }, (_, i) => (generation === 1 || (i + 1) % period === 0 ? "full" : "sliding"));
}
