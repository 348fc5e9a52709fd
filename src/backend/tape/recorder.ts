import type { Backend } from "../backend.js";
import { elementCount, type Tensor } from "../tensor.js";
import type { BackwardContext, Entry } from "./entry.js";
import { Gradients } from "./gradients.js";
import type { Pool } from "./pool.js";
import type { Region, Regions } from "./region.js";
import { type SavedValue, SavedValues } from "./saved.js";

/** An op that ran, with what its backward needs. */
interface Node {
  readonly entry: Entry;
  readonly wants: readonly boolean[];
  /** Whether there is a gradient to compute; if not, the op only put an end to an older value's. */
  readonly depends: boolean;
  readonly saved: readonly SavedValue[];
  readonly kept: readonly Tensor[];
}

/** Runs entries, remembers what their gradients need, and goes back over them. */
export class Recorder {
  private readonly savedValues: SavedValues;
  private readonly gradients: Gradients;
  private readonly dependents = new Map<Tensor, { flag: boolean; end: number }>();
  private readonly versions = new Map<Tensor, number>();
  private nodes: Node[] = [];

  constructor(
    private readonly be: Backend,
    private readonly regions: Regions,
    private readonly pool: Pool,
  ) {
    this.savedValues = new SavedValues(be, pool);
    this.gradients = new Gradients(be, pool, (owner) => elementCount(owner.shape));
  }

  /** @param isRecorded whether `backward` will go over it: only then are values kept */
  execute(entry: Entry, isRecorded: boolean): void {
    const wants = entry.reads.map((tensor) => this.depends(tensor));
    const depends = entry.trains() || wants.includes(true);
    const records = isRecorded && depends;
    const saved = records ? entry.saves.map((tensor) => this.savedValues.hold(this.regions.of(tensor), tensor)) : [];
    const endsAnother = entry.overwrites.some((tensor) => this.depends(tensor));
    for (const tensor of entry.overwrites) this.beforeWrite(this.regions.of(tensor));
    for (const tensor of entry.accumulates ?? []) this.beforeWrite(this.regions.of(tensor));
    const kept: Tensor[] = [];
    const keep = (shape: readonly number[]) => {
      const tensor = this.pool.take(shape);
      kept.push(tensor);
      return tensor;
    };
    entry.run({ isRecorded: records, keep, scratch: this.scratch });
    for (const tensor of entry.overwrites) this.setDepends(tensor, depends);
    for (const tensor of entry.accumulates ?? []) if (depends) this.setDepends(tensor, true);
    if (records || (isRecorded && endsAnother)) this.nodes.push({ entry, wants, depends, saved, kept });
  }

  /** What is saved of a region is copied, its version counts up. */
  beforeWrite(region: Region): void {
    this.savedValues.beforeWrite(region);
    this.versions.set(region.owner, this.version(region.owner) + 1);
  }

  version(owner: Tensor): number {
    return this.versions.get(owner) ?? 0;
  }

  /** Whether a value depends on something trainable. */
  depends(tensor: Tensor): boolean {
    return this.dependents.get(this.regions.of(tensor).owner)?.flag ?? false;
  }

  /** A value that covers only a part of the memory leaves the rest as dependent as it was. */
  setDepends(tensor: Tensor, flag: boolean): void {
    const { owner, start, end } = this.regions.of(tensor);
    const before = this.dependents.get(owner) ?? { flag: false, end: 0 };
    const covers = start === 0 && end >= before.end;
    this.dependents.set(owner, { flag: flag || (before.flag && !covers), end: Math.max(end, before.end) });
  }

  /** Nothing depends on anything: a segment or a step begins. */
  forgetDependents(): void {
    this.dependents.clear();
  }

  /** Memory for the gradient of the value that `tensor` has now, to be overwritten. */
  seed(tensor: Tensor): Tensor {
    return this.gradients.target(this.regions.of(tensor), tensor.shape).tensor;
  }

  /** Goes back over what was recorded. */
  backward(): void {
    while (this.nodes.length > 0) {
      const node = this.nodes.pop()!;
      if (node.depends) node.entry.backward(this.context(node));
      else for (const tensor of node.entry.overwrites) this.gradients.clear(this.regions.of(tensor));
      this.release(node);
    }
  }

  /** Drops what was recorded, and every gradient of an activation. Their memory is for the pool to reclaim. */
  reset(): void {
    this.nodes = [];
    this.savedValues.reset();
    this.gradients.reset();
    this.dependents.clear();
    this.versions.clear();
  }

  private readonly scratch: BackwardContext["scratch"] = (shape, use) => {
    const tensor = this.pool.take(shape);
    use(tensor);
    this.pool.giveBack(tensor);
  };

  private release(node: Node): void {
    for (const value of node.saved) this.savedValues.release(value);
    for (const tensor of node.kept) this.pool.giveBack(tensor);
  }

  private context({ wants, saved, kept }: Node): BackwardContext {
    const { be, gradients, regions } = this;
    const of = (tensor: Tensor) => [regions.of(tensor), tensor.shape] as const;
    const { scratch } = this;
    return {
      saved: (i) => saved[i]!.tensor,
      kept: (i) => kept[i]!,
      wants: (i) => wants[i]!,
      take(out) {
        const gradient = gradients.read(...of(out));
        gradients.clear(regions.of(out));
        return gradient;
      },
      peek: (out) => gradients.read(...of(out)),
      target: (x) => gradients.target(...of(x)),
      summed: (x) => gradients.summed(...of(x)),
      overwrite(x, compute) {
        const { tensor, accumulate } = gradients.target(...of(x));
        if (!accumulate) return compute(tensor);
        scratch(x.shape, (dx) => {
          compute(dx);
          be.add(tensor, tensor, dx);
        });
      },
      deposit(x, gradient) {
        const { tensor, accumulate } = gradients.target(...of(x));
        if (accumulate) be.add(tensor, tensor, gradient);
        else if (!gradients.isAt(gradient, regions.of(x))) be.scale(tensor, gradient, 1);
      },
      scratch,
    };
  }
}
