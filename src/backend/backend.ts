import type { KvCache, KvLayout } from "./kv.js";
import type { AdamW } from "./ops/adam-w.js";
import type { Add } from "./ops/add.js";
import type { Attention } from "./ops/attention.js";
import type { AttentionBackward } from "./ops/attention-backward.js";
import type { ChooseIds } from "./ops/choose-ids.js";
import type { CrossEntropy } from "./ops/cross-entropy.js";
import type { DropoutOp } from "./ops/dropout.js";
import type { Embed } from "./ops/embed.js";
import type { EmbedBackward } from "./ops/embed-backward.js";
import type { GatedMatmul } from "./ops/gated-matmul.js";
import type { GatherRows } from "./ops/gather-rows.js";
import type { GatherRowsBackward } from "./ops/gather-rows-backward.js";
import type { Geglu } from "./ops/geglu.js";
import type { GegluBackward } from "./ops/geglu-backward.js";
import type { LogProbs } from "./ops/log-probs.js";
import type { LoraDelta } from "./ops/lora-delta.js";
import type { LoraDeltaBackward } from "./ops/lora-delta-backward.js";
import type { Matmul } from "./ops/matmul.js";
import type { MatmulBackward } from "./ops/matmul-backward.js";
import type { MatmulWeightBackward } from "./ops/matmul-weight-backward.js";
import type { Matmuls } from "./ops/matmuls.js";
import type { PackWeight } from "./ops/pack-weight.js";
import type { RmsNorm } from "./ops/rms-norm.js";
import type { RmsNormBackward } from "./ops/rms-norm-backward.js";
import type { Rope } from "./ops/rope.js";
import type { RopeBackward } from "./ops/rope-backward.js";
import type { Sample } from "./ops/sample.js";
import type { Scale } from "./ops/scale.js";
import type { ScoreIds } from "./ops/score-ids.js";
import type { SoftCap } from "./ops/soft-cap.js";
import type { SumSquares } from "./ops/sum-squares.js";
import type { WriteKv } from "./ops/write-kv.js";
import type { StoredWeight, Tensor, TensorDtype, Weight, WeightOptions } from "./tensor.js";

export const BACKEND_NAMES = ["native", "wasm", "webgpu", "reference"] as const;
export type BackendName = (typeof BACKEND_NAMES)[number];

/**
 * "int8": quantised weights times activations quantised in blocks of 32, the fast path. "f32": activations stay f32,
 * the exact path. Weights stored in f32 or f16 always meet f32 activations; with "int8" those in bf16 may meet activations
 * rounded to bf16, where the CPU multiplies such pairs, and so may keys and values.
 */
export type Activations = "int8" | "f32";

/** The operations of a step. Output first, caller-owned; calls only enqueue, in order; nothing is allocated. */
export interface ForwardOps {
  readonly embed: Embed;
  readonly rmsNorm: RmsNorm;
  readonly add: Add;
  readonly matmul: Matmul;
  readonly matmuls: Matmuls;
  readonly gatedMatmul: GatedMatmul;
  readonly loraDelta: LoraDelta;
  readonly rope: Rope;
  readonly writeKv: WriteKv;
  readonly attention: Attention;
  readonly geglu: Geglu;
  readonly softCap: SoftCap;
  readonly gatherRows: GatherRows;
  readonly logProbs: LogProbs;
  readonly sample: Sample;
  readonly chooseIds: ChooseIds;
  readonly scoreIds: ScoreIds;
}

/**
 * What training adds: gradients of the operations, the loss and the optimizer. Gradients of weights are added to; gradients
 * of activations are overwritten unless their contract says otherwise. Sums over rows are made in an order that does not
 * depend on the number of threads: equal seeds give equal weights on one backend and instruction set.
 */
export interface TrainingOps {
  readonly embedBackward: EmbedBackward;
  readonly rmsNormBackward: RmsNormBackward;
  readonly matmulBackward: MatmulBackward;
  readonly matmulWeightBackward: MatmulWeightBackward;
  readonly loraDeltaBackward: LoraDeltaBackward;
  readonly ropeBackward: RopeBackward;
  readonly attentionBackward: AttentionBackward;
  readonly gegluBackward: GegluBackward;
  readonly gatherRowsBackward: GatherRowsBackward;
  readonly crossEntropy: CrossEntropy;
  readonly dropout: DropoutOp;
  readonly adamW: AdamW;
  readonly sumSquares: SumSquares;
  readonly scale: Scale;
  readonly packWeight: PackWeight;
}

export interface Ops extends ForwardOps, TrainingOps {}

export interface BackendInfo {
  readonly name: BackendName;
  /**
   * Instruction set of the kernels in use: "avx512bf16", "avx512", "avx2vnni", "avx2", "neoni8mm", "neon", "scalar"; of wasm
   * "relaxed-simd", "simd"; "js" for the reference.
   */
  readonly isa: string;
  readonly threads: number;
  readonly activations: Activations;
}

/** Operations on tensors that the backend owns, and the memory they live in. */
export interface Backend extends Ops {
  /** The operations that this backend has no kernels for: they throw ERR_UNSUPPORTED_OP. */
  readonly lacks: readonly (keyof TrainingOps)[];
  info(): BackendInfo;
  /** A new tensor, zeroed. @throws ERR_OUT_OF_MEMORY */
  tensor(dtype: TensorDtype, shape: readonly number[]): Tensor;
  /** The same memory under another shape, from element `start` on. Views die with their tensor; freeing one does nothing. */
  view(tensor: Tensor, shape: readonly number[], start?: number): Tensor;
  /** Copies `data` into the tensor's first elements. */
  write(tensor: Tensor, data: Float32Array | Int32Array): void;
  /** Waits for everything enqueued and copies the tensor out. */
  read(tensor: Tensor): Promise<Float32Array | Int32Array>;
  /** Packs a stored matrix, one in a file perhaps in the background. @throws ERR_OUT_OF_MEMORY, ERR_INVALID_DTYPE */
  weight(stored: StoredWeight, options?: WeightOptions): Weight;
  /** Waits until `weight` has packed it. @throws ERR_TRUNCATED, ERR_IO: free it then */
  packed(weight: Weight): Promise<void>;
  /** An empty paged cache. @throws ERR_OUT_OF_MEMORY, ERR_RANGE */
  kvCache(layout: KvLayout): KvCache;
  /** Frees what this backend made; nothing if it is a view. */
  free(handle: Tensor | Weight | KvCache): void;
  /** Frees everything. Idempotent; any later call throws ERR_DISPOSED. */
  dispose(): void;
}

export interface BackendOptions {
  /** Default: "int8". */
  readonly activations?: Activations;
  /** Default: the physical cores that this process may use. */
  readonly threads?: number;
  /** Forces an instruction set that this CPU can run; for tests. */
  readonly isa?: string;
}

/** How a backend is listed where it is composed. */
export interface BackendFactory {
  readonly name: BackendName;
  /** true, or one line that says why it cannot run here. */
  available(): Promise<true | string>;
  /** A backend that trusts its arguments: wrap it in `checked`. */
  create(options: BackendOptions): Promise<Backend>;
}
