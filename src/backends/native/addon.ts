// The whole native surface; addon*.cc describe and implement it. A handle is a number, never a pointer, and every call
// checks it. A tensor is passed as two numbers: its handle and the element it starts at.

declare const kind: unique symbol;
type Handle<Kind extends string> = number & { readonly [kind]: Kind };

export type BackendHandle = Handle<"backend">;
export type TensorHandle = Handle<"tensor">;
export type WeightHandle = Handle<"weight">;
export type CacheHandle = Handle<"cache">;

type TensorArgs = [handle: TensorHandle, start: number];
export type PlanArgs = [S: number, P: number, ...positions: TensorArgs, ...sequences: TensorArgs, ...table: TensorArgs];

export interface NativeAddon {
  /** Instruction sets that this CPU runs, best first, joined by commas. */
  isas(): string;
  /** Physical cores that this process may use. */
  defaultThreads(): number;
  /** An empty isa: the best. */
  createBackend(isa: string, threads: number, isInt8: boolean): BackendHandle;
  backendIsa(be: BackendHandle): string;
  disposeBackend(be: BackendHandle): void;

  createTensor(be: BackendHandle, isI32: boolean, elements: number): TensorHandle;
  /** Copies all of `data` into the tensor, or fills it from there. */
  writeF32(be: BackendHandle, data: Float32Array, ...tensor: TensorArgs): void;
  writeI32(be: BackendHandle, data: Int32Array, ...tensor: TensorArgs): void;
  readF32(be: BackendHandle, data: Float32Array, ...tensor: TensorArgs): void;
  readI32(be: BackendHandle, data: Int32Array, ...tensor: TensorArgs): void;
  freeTensor(be: BackendHandle, tensor: TensorHandle): void;

  /** isScreened: in two planes, if the type and the backend's activations allow it. */
  createWeight(be: BackendHandle, dtype: string, N: number, K: number, isScreened: boolean): WeightHandle;
  /** Packs whole rows as stored: each once, in order, a multiple of 16 but for the last call. */
  packRows(be: BackendHandle, weight: WeightHandle, firstRow: number, data: Uint8Array): void;
  /** Begins to pack all rows from a file that is `fileSize` long; any call that reads the weight waits for the end. */
  packFile(
    be: BackendHandle,
    weight: WeightHandle,
    descriptor: number,
    inode: number,
    fileSize: number,
    offset: number,
  ): void;
  /** 0: packFile has not ended `ms` milliseconds later; 1: all rows are packed; 2: they are not, and packRows may follow. */
  packed(be: BackendHandle, weight: WeightHandle, ms: number): number;
  /** 1 or 0. */
  isScreened(be: BackendHandle, weight: WeightHandle): number;
  weightBytes(be: BackendHandle, weight: WeightHandle): number;
  freeWeight(be: BackendHandle, weight: WeightHandle): void;

  /** dtype: 0 f32, 1 bf16, 2 int8. */
  createCache(
    be: BackendHandle,
    dtype: number,
    kvHeads: number,
    headDim: number,
    layerGroups: Int32Array,
    groupPages: Int32Array,
  ): CacheHandle;
  cacheBytes(be: BackendHandle, cache: CacheHandle): number;
  freeCache(be: BackendHandle, cache: CacheHandle): void;

  embed(
    be: BackendHandle,
    T: number,
    scale: number,
    table: WeightHandle,
    ...tensors: [...out: TensorArgs, ...ids: TensorArgs]
  ): void;
  matmul(be: BackendHandle, T: number, weight: WeightHandle, ...tensors: [...out: TensorArgs, ...x: TensorArgs]): void;
  /** n products (at most 4), each a weight and the tensor it goes to, then x. */
  matmuls(be: BackendHandle, T: number, n: number, ...productsAndX: number[]): void;
  gatedMatmul(
    be: BackendHandle,
    T: number,
    gate: WeightHandle,
    up: WeightHandle,
    ...tensors: [...out: TensorArgs, ...x: TensorArgs]
  ): void;
  rmsNorm(
    be: BackendHandle,
    T: number,
    D: number,
    eps: number,
    ...tensors: [...out: TensorArgs, ...x: TensorArgs, ...weight: TensorArgs]
  ): void;
  add(
    be: BackendHandle,
    T: number,
    D: number,
    ...tensors: [...out: TensorArgs, ...a: TensorArgs, ...b: TensorArgs]
  ): void;
  geglu(
    be: BackendHandle,
    T: number,
    F: number,
    ...tensors: [...out: TensorArgs, ...gate: TensorArgs, ...up: TensorArgs]
  ): void;
  softCap(be: BackendHandle, R: number, V: number, cap: number, ...x: TensorArgs): void;
  gatherRows(
    be: BackendHandle,
    R: number,
    T: number,
    D: number,
    ...tensors: [...out: TensorArgs, ...x: TensorArgs, ...rows: TensorArgs]
  ): void;
  /** undo: the rotation by the negative angle. */
  rope(
    be: BackendHandle,
    undo: boolean,
    T: number,
    width: number,
    headDim: number,
    theta: number,
    scalingFactor: number,
    ...tensors: [...x: TensorArgs, ...positions: TensorArgs]
  ): void;
  writeKv(
    be: BackendHandle,
    T: number,
    cache: CacheHandle,
    layer: number,
    ...planAndTensors: [...plan: PlanArgs, ...k: TensorArgs, ...v: TensorArgs]
  ): void;
  /** softCap and window: 0 for none. */
  attention(
    be: BackendHandle,
    T: number,
    width: number,
    cache: CacheHandle,
    layer: number,
    ...rest: [...plan: PlanArgs, scale: number, softCap: number, window: number, ...out: TensorArgs, ...q: TensorArgs]
  ): void;
  loraDelta(
    be: BackendHandle,
    T: number,
    K: number,
    N: number,
    r: number,
    scale: number,
    ...tensors: [...out: TensorArgs, ...x: TensorArgs, ...a: TensorArgs, ...b: TensorArgs]
  ): void;
  // Training: sizes and settings, then the tensors, each with its start; see addon-backward.cc and addon-update.cc.
  matmulBackward(be: BackendHandle, T: number, accumulate: boolean, weight: WeightHandle, ...tensors: number[]): void;
  matmulWeightBackward(be: BackendHandle, T: number, N: number, K: number, ...tensors: number[]): void;
  loraDeltaBackward(
    be: BackendHandle,
    T: number,
    K: number,
    N: number,
    r: number,
    scale: number,
    wantsX: boolean,
    accumulate: boolean,
    ...tensors: number[]
  ): void;
  rmsNormBackward(
    be: BackendHandle,
    T: number,
    D: number,
    eps: number,
    accumulate: boolean,
    trainsWeight: boolean,
    ...tensors: number[]
  ): void;
  /** R, T, heads, kvHeads, H, scale, softCap or 0, window or 0, then the tensors. */
  attentionBackward(be: BackendHandle, ...settingsAndTensors: number[]): void;
  /** softCap: 0 for none. */
  crossEntropy(
    be: BackendHandle,
    R: number,
    softCap: number,
    head: WeightHandle,
    trainsHead: boolean,
    ...tensors: number[]
  ): void;
  dropout(be: BackendHandle, elements: number, rate: number, seed: number, first: number, ...tensors: number[]): void;
  packWeight(be: BackendHandle, weight: WeightHandle, ...values: number[]): void;
  gegluBackward(be: BackendHandle, T: number, F: number, ...tensors: number[]): void;
  scatterAdd(be: BackendHandle, R: number, T: number, D: number, scale: number, ...tensors: number[]): void;
  adamW(be: BackendHandle, elements: number, ...settingsAndTensors: number[]): void;
  sumSquares(be: BackendHandle, elements: number, ...tensors: number[]): void;
  scale(be: BackendHandle, elements: number, factor: number, ...tensors: number[]): void;
  logProbs(
    be: BackendHandle,
    R: number,
    V: number,
    n: number,
    ...tensors: [
      ...logProbs: TensorArgs,
      ...topIds: TensorArgs,
      ...topLogProbs: TensorArgs,
      ...logits: TensorArgs,
      ...targets: TensorArgs,
    ]
  ): void;
  /** The rows' parameters as pack-sample.ts lays them out. */
  sample(
    be: BackendHandle,
    R: number,
    V: number,
    numbers: Float64Array,
    ids: Int32Array,
    biasValues: Float32Array,
    masks: Uint32Array,
    ...tensors: [...out: TensorArgs, ...logits: TensorArgs]
  ): void;
  /** softCap: 0 for none. `numbers` as in `sample`. */
  chooseIds(
    be: BackendHandle,
    R: number,
    head: WeightHandle,
    softCap: number,
    numbers: Float64Array,
    ...tensors: [...out: TensorArgs, ...x: TensorArgs]
  ): void;
  /** softCap: 0 for none. n targets, each a row and an id. */
  scoreIds(
    be: BackendHandle,
    R: number,
    n: number,
    head: WeightHandle,
    softCap: number,
    ...tensors: [
      ...logProbs: TensorArgs,
      ...topIds: TensorArgs,
      ...topLogProbs: TensorArgs,
      ...x: TensorArgs,
      ...rows: TensorArgs,
      ...ids: TensorArgs,
    ]
  ): void;
}
