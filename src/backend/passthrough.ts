import type { Backend, BackendInfo } from "./backend.js";
import type { KvCache, KvLayout } from "./kv.js";
import type { StoredWeight, Tensor, TensorDtype, Weight, WeightOptions } from "./tensor.js";

type Args<Name extends keyof Backend> = Backend[Name] extends (...args: infer A) => unknown ? A : never;

/** A backend that hands every call to the one below it: what wraps a backend overrides what it changes. */
export class Passthrough implements Backend {
  constructor(protected readonly be: Backend) {}

  get lacks(): Backend["lacks"] {
    return this.be.lacks;
  }

  embed(...args: Args<"embed">): void {
    this.be.embed(...args);
  }

  rmsNorm(...args: Args<"rmsNorm">): void {
    this.be.rmsNorm(...args);
  }

  add(...args: Args<"add">): void {
    this.be.add(...args);
  }

  matmul(...args: Args<"matmul">): void {
    this.be.matmul(...args);
  }

  matmuls(...args: Args<"matmuls">): void {
    this.be.matmuls(...args);
  }

  gatedMatmul(...args: Args<"gatedMatmul">): void {
    this.be.gatedMatmul(...args);
  }

  loraDelta(...args: Args<"loraDelta">): void {
    this.be.loraDelta(...args);
  }

  rope(...args: Args<"rope">): void {
    this.be.rope(...args);
  }

  writeKv(...args: Args<"writeKv">): void {
    this.be.writeKv(...args);
  }

  attention(...args: Args<"attention">): void {
    this.be.attention(...args);
  }

  geglu(...args: Args<"geglu">): void {
    this.be.geglu(...args);
  }

  softCap(...args: Args<"softCap">): void {
    this.be.softCap(...args);
  }

  gatherRows(...args: Args<"gatherRows">): void {
    this.be.gatherRows(...args);
  }

  logProbs(...args: Args<"logProbs">): void {
    this.be.logProbs(...args);
  }

  sample(...args: Args<"sample">): void {
    this.be.sample(...args);
  }

  chooseIds(...args: Args<"chooseIds">): void {
    this.be.chooseIds(...args);
  }

  scoreIds(...args: Args<"scoreIds">): void {
    this.be.scoreIds(...args);
  }

  embedBackward(...args: Args<"embedBackward">): void {
    this.be.embedBackward(...args);
  }

  rmsNormBackward(...args: Args<"rmsNormBackward">): void {
    this.be.rmsNormBackward(...args);
  }

  matmulBackward(...args: Args<"matmulBackward">): void {
    this.be.matmulBackward(...args);
  }

  matmulWeightBackward(...args: Args<"matmulWeightBackward">): void {
    this.be.matmulWeightBackward(...args);
  }

  loraDeltaBackward(...args: Args<"loraDeltaBackward">): void {
    this.be.loraDeltaBackward(...args);
  }

  ropeBackward(...args: Args<"ropeBackward">): void {
    this.be.ropeBackward(...args);
  }

  attentionBackward(...args: Args<"attentionBackward">): void {
    this.be.attentionBackward(...args);
  }

  gegluBackward(...args: Args<"gegluBackward">): void {
    this.be.gegluBackward(...args);
  }

  gatherRowsBackward(...args: Args<"gatherRowsBackward">): void {
    this.be.gatherRowsBackward(...args);
  }

  crossEntropy(...args: Args<"crossEntropy">): void {
    this.be.crossEntropy(...args);
  }

  dropout(...args: Args<"dropout">): void {
    this.be.dropout(...args);
  }

  adamW(...args: Args<"adamW">): void {
    this.be.adamW(...args);
  }

  sumSquares(...args: Args<"sumSquares">): void {
    this.be.sumSquares(...args);
  }

  scale(...args: Args<"scale">): void {
    this.be.scale(...args);
  }

  packWeight(...args: Args<"packWeight">): void {
    this.be.packWeight(...args);
  }

  info(): BackendInfo {
    return this.be.info();
  }

  tensor(dtype: TensorDtype, shape: readonly number[]): Tensor {
    return this.be.tensor(dtype, shape);
  }

  view(tensor: Tensor, shape: readonly number[], start = 0): Tensor {
    return this.be.view(tensor, shape, start);
  }

  write(tensor: Tensor, data: Float32Array | Int32Array): void {
    this.be.write(tensor, data);
  }

  read(tensor: Tensor): Promise<Float32Array | Int32Array> {
    return this.be.read(tensor);
  }

  weight(stored: StoredWeight, options?: WeightOptions): Weight {
    return this.be.weight(stored, options);
  }

  packed(weight: Weight): Promise<void> {
    return this.be.packed(weight);
  }

  kvCache(layout: KvLayout): KvCache {
    return this.be.kvCache(layout);
  }

  free(handle: Tensor | Weight | KvCache): void {
    this.be.free(handle);
  }

  dispose(): void {
    this.be.dispose();
  }
}
