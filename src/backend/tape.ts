import { GemmaError } from "../base/errors.js";
import type { Backend } from "./backend.js";
import type { KvCache } from "./kv.js";
import type { Dropout } from "./ops/dropout.js";
import { Passthrough } from "./passthrough.js";
import type { Entry, RunContext } from "./tape/entry.js";
import { Pool } from "./tape/pool.js";
import { Recorder } from "./tape/recorder.js";
import { Regions } from "./tape/region.js";
import * as rules from "./tape/rules.js";
import { elementCount, type Tensor, type TensorDtype, type Weight } from "./tensor.js";

/** Ops between two checkpoints, to be computed anew from `x` when the tape goes back over them. */
interface Segment {
  readonly entries: Entry[];
  /** What the segment starts from: a copy of a tensor, and whether that depends on something trainable. */
  readonly start: { readonly tensor: Tensor; readonly copy: Tensor; readonly depends: boolean } | null;
}

interface Written extends rules.WrittenKv {
  /** Of the memory of k and v when they were written. */
  readonly versions: string;
}

const NOT_RECORDED: RunContext = {
  isRecorded: false,
  keep: keepsNothing,
  scratch: keepsNothing,
};

function keepsNothing(): never {
  throw new GemmaError("ERR_INTERNAL", "tape: an op must not need memory of its own outside of a recording");
}

/**
 * A backend that records: the forward pass runs on it as on any other, and `backward` computes the gradients.
 *
 *     tape.train(weight, gradient);              // for each parameter
 *     tape.begin();
 *     forward(tape, …, () => tape.checkpoint(s.x, isLast));
 *     be.crossEntropy({ dx: tape.seed(s.last), … }, …);
 *     tape.backward();                           // gradients were added to
 *
 * Activations, the scratch of the forward pass, must be made through the tape, which has to know what shares memory. The
 * step must be self-contained: all keys that a row sees are of this step. Its plan must not change until `backward`.
 * Between checkpoints values live in the step's own buffers; what backward needs of them is copied only when it is
 * overwritten. Outside of begin and backward every op goes straight to the backend below.
 */
export class Tape extends Passthrough {
  private readonly regions = new Regions();
  private readonly pool: Pool;
  private readonly recorder: Recorder;
  private readonly params = new Map<Tensor | Weight, Tensor>();
  private readonly written = new Map<KvCache, Map<number, Written>>();
  private segments: Segment[] = [];
  /** Memory with values of this segment; null before the first checkpoint, where anything may be read. */
  private readable: Set<Tensor> | null = null;
  private inputDropout: rules.InputDropout | null = null;
  private mode: "off" | "record" | "checkpoint" = "off";

  constructor(be: Backend) {
    super(be);
    this.pool = new Pool(be);
    this.recorder = new Recorder(be, this.regions, this.pool);
  }

  /** `backward` adds the gradient in a parameter to `gradient`, f32 of its shape and the caller's own. */
  train(parameter: Tensor | Weight, gradient: Tensor): void {
    this.params.set(parameter, gradient);
  }

  /**
   * Starts to record. With `checkpoints`, only `checkpoint`s are kept and what lies between them is computed anew by
   * `backward`; without, all that it needs. `dropout` drops inputs of trainable low-rank pairs; every step needs a seed of
   * its own.
   */
  begin(options: { readonly checkpoints?: boolean; readonly dropout?: Dropout | null } = {}): void {
    if (this.mode !== "off") throw new GemmaError("ERR_BACKEND", "tape: begin must come after backward or cancel");
    this.mode = options.checkpoints ? "checkpoint" : "record";
    this.segments = [{ entries: [], start: null }];
    this.inputDropout = options.dropout && options.dropout.rate > 0 ? { ...options.dropout, first: 0 } : null;
  }

  /**
   * Nothing behind this reads any activation but x. What came before is computed anew from the checkpoint before it. With
   * `isLast` what follows is recorded in full: going back begins there. Without `checkpoints` it does nothing.
   */
  checkpoint(x: Tensor, isLast: boolean): void {
    if (this.mode !== "checkpoint") return;
    const copy = this.pool.take(x.shape);
    this.be.scale(copy, x, 1);
    this.segments.push({ entries: [], start: { tensor: x, copy, depends: this.recorder.depends(x) } });
    this.readable = new Set([this.regions.of(x).owner]);
    if (isLast) this.mode = "record";
  }

  /** Memory for the gradient in the value that `tensor` has now, to be overwritten before `backward`. */
  seed(tensor: Tensor): Tensor {
    return this.recorder.seed(tensor);
  }

  /** Goes back from the seeds: gradients of parameters are added to, everything else is given back. */
  backward(): void {
    try {
      this.recorder.backward(); // what was recorded in full
      for (let segment = this.segments.pop(); segment !== undefined; segment = this.segments.pop()) {
        this.computeAnew(segment);
        this.recorder.backward();
      }
    } finally {
      this.cancel();
      this.pool.endStep();
    }
  }

  /** Drops a recording: nothing of the tape's outlives a step, whatever went wrong in it. */
  cancel(): void {
    this.recorder.reset();
    this.pool.reclaim();
    this.segments = [];
    this.written.clear();
    this.readable = null;
    this.inputDropout = null;
    this.mode = "off";
  }

  /** Bytes of the tape's own memory: what it saved, gradients of activations and spare blocks. */
  get scratchBytes(): number {
    return this.pool.sizeBytes;
  }

  /** Frees the tape's own memory. The backend below, and what was made on it, stay. */
  freeScratch(): void {
    this.cancel();
    this.pool.dispose();
  }

  // The forward pass. What chooses and scores ids is no part of training, and goes straight down.

  override embed(...args: Parameters<Backend["embed"]>): void {
    this.op(rules.embedRule(this.be, this.params, ...args));
  }

  override rmsNorm(...args: Parameters<Backend["rmsNorm"]>): void {
    this.op(rules.rmsNormRule(this.be, this.params, ...args));
  }

  override add(...args: Parameters<Backend["add"]>): void {
    this.op(rules.addRule(this.be, ...args));
  }

  override matmul(...[out, x, weight]: Parameters<Backend["matmul"]>): void {
    const run = () => this.be.matmul(out, x, weight);
    this.op(rules.matmulsRule(this.be, this.params, [out], x, [weight], run));
  }

  override matmuls(...[outs, x, weights]: Parameters<Backend["matmuls"]>): void {
    const run = () => this.be.matmuls(outs, x, weights);
    this.op(rules.matmulsRule(this.be, this.params, outs, x, weights, run));
  }

  override gatedMatmul(...args: Parameters<Backend["gatedMatmul"]>): void {
    this.op(rules.gatedMatmulRule(this.be, this.params, ...args));
  }

  override loraDelta(...args: Parameters<Backend["loraDelta"]>): void {
    this.op(rules.loraDeltaRule(this.be, this.params, this.nextDropout(args[1], args[2]), ...args));
  }

  override rope(...args: Parameters<Backend["rope"]>): void {
    this.op(rules.ropeRule(this.be, ...args));
  }

  override geglu(...args: Parameters<Backend["geglu"]>): void {
    this.op(rules.gegluRule(this.be, ...args));
  }

  override gatherRows(...args: Parameters<Backend["gatherRows"]>): void {
    this.op(rules.gatherRowsRule(this.be, ...args));
  }

  /** Remembers where keys and values came from: the layer's attention sends its gradients there. */
  override writeKv(...[cache, layer, k, v, plan]: Parameters<Backend["writeKv"]>): void {
    if (this.mode !== "off") {
      const layers = this.written.get(cache) ?? new Map<number, Written>();
      this.written.set(cache, layers.set(layer, { k, v, plan, versions: this.versionsOf(k, v) }));
    }
    this.op(rules.writeKvRule(this.be, cache, layer, k, v, plan));
  }

  override attention(...args: Parameters<Backend["attention"]>): void {
    if (this.mode === "off") {
      this.be.attention(...args);
      return;
    }
    const written = this.written.get(args[2])?.get(args[3]);
    if (written === undefined || written.versions !== this.versionsOf(written.k, written.v)) {
      throw new GemmaError(
        "ERR_UNSUPPORTED_OP",
        `tape: attention of layer ${args[3]} must follow writeKv, with keys and values still in their tensors`,
      );
    }
    this.op(rules.attentionRule(this.be, written, ...args));
  }

  override softCap(x: Tensor, cap: number): void {
    if (this.mode !== "off" && this.recorder.depends(x)) {
      throw new GemmaError("ERR_UNSUPPORTED_OP", "tape: softCap must not be on the way to a gradient", {
        hint: "crossEntropy has the head, its cap and their gradients in one",
      });
    }
    this.be.softCap(x, cap);
  }

  override tensor(dtype: TensorDtype, shape: readonly number[]): Tensor {
    return this.regions.own(this.be.tensor(dtype, shape));
  }

  override view(tensor: Tensor, shape: readonly number[], start = 0): Tensor {
    return this.regions.view(this.be.view(tensor, shape, start), tensor, start);
  }

  override write(tensor: Tensor, data: Float32Array | Int32Array): void {
    if (this.mode !== "off" && tensor.dtype === "f32" && !this.params.has(tensor)) {
      this.recorder.beforeWrite(this.regions.of(tensor));
    }
    this.be.write(tensor, data);
  }

  /** Frees the tape's own memory, and everything of the backend below. */
  override dispose(): void {
    this.segments = [];
    this.mode = "off";
    this.be.dispose();
  }

  private op(entry: Entry): void {
    if (this.mode === "off") {
      entry.run(NOT_RECORDED);
      return;
    }
    this.expectReadable(entry);
    if (this.mode === "checkpoint") this.segments.at(-1)!.entries.push(entry);
    this.recorder.execute(entry, this.mode === "record");
  }

  /** Each input has draws of its own. */
  private nextDropout(x: Tensor, a: Tensor): rules.InputDropout | null {
    const dropout = this.inputDropout;
    if (dropout === null || !this.params.has(a)) return null;
    this.inputDropout = { ...dropout, first: dropout.first + elementCount(x.shape) };
    return dropout;
  }

  /** What a segment computes anew must not depend on memory that later ones have overwritten. */
  private expectReadable({ reads, accumulates = [], overwrites }: Entry): void {
    const { readable } = this;
    if (readable === null) return;
    for (const tensor of [...reads, ...accumulates]) {
      if (readable.has(this.regions.of(tensor).owner)) continue;
      throw new GemmaError("ERR_BACKEND", "tape: an op behind a checkpoint must not read what was computed before it");
    }
    for (const tensor of overwrites) readable.add(this.regions.of(tensor).owner);
  }

  private computeAnew({ entries, start }: Segment): void {
    this.recorder.forgetDependents();
    if (start !== null) {
      if (entries.length > 0) {
        this.recorder.beforeWrite(this.regions.of(start.tensor));
        this.be.scale(start.tensor, start.copy, 1);
        this.recorder.setDepends(start.tensor, start.depends);
      }
      this.pool.giveBack(start.copy);
    }
    for (const entry of entries) this.recorder.execute(entry, true);
  }

  private versionsOf(...tensors: Tensor[]): string {
    return tensors.map((tensor) => this.recorder.version(this.regions.of(tensor).owner)).join();
  }
}
