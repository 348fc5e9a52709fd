import type { Backend } from "../backend.js";
import { elementCount, type Tensor } from "../tensor.js";

const SMALLEST = 256;
/** A spare block may be so many times larger than what is asked for: steps of fewer rows use those of larger ones. */
const LARGEST_FIT = 4;

interface Block {
  readonly tensor: Tensor;
  readonly capacity: number;
  lastUse: number;
}

/** Scratch tensors of a tape: those that are given back serve again, those that a whole step did not need are freed. */
export class Pool {
  private readonly free: Block[] = [];
  private readonly taken = new Map<Tensor, Block>(); // by the view that was handed out
  private step = 0;

  constructor(private readonly be: Backend) {}

  /** An f32 tensor whose elements are anything. @throws ERR_OUT_OF_MEMORY */
  take(shape: readonly number[]): Tensor {
    const capacity = capacityFor(elementCount(shape));
    const block = this.takeSpare(capacity) ?? this.make(capacity);
    block.lastUse = this.step;
    const view = this.be.view(block.tensor, shape);
    this.taken.set(view, block);
    return view;
  }

  giveBack(view: Tensor): void {
    const block = this.taken.get(view)!;
    this.taken.delete(view);
    this.free.push(block);
  }

  /** Takes back whatever is still out: after a step that failed, too. */
  reclaim(): void {
    this.free.push(...this.taken.values());
    this.taken.clear();
  }

  /** Ends a step: frees what it did not use. */
  endStep(): void {
    for (let i = this.free.length - 1; i >= 0; i--) {
      if (this.isUnused(this.free[i]!)) this.be.free(this.free.splice(i, 1)[0]!.tensor);
    }
    this.step += 1;
  }

  /** Frees everything, also what was not given back. */
  dispose(): void {
    for (const { tensor } of [...this.free, ...this.taken.values()]) this.be.free(tensor);
    this.free.length = 0;
    this.taken.clear();
  }

  get sizeBytes(): number {
    return [...this.free, ...this.taken.values()].reduce((sum, { capacity }) => sum + 4 * capacity, 0);
  }

  /** The smallest spare block that fits, or null. */
  private takeSpare(capacity: number): Block | null {
    let best = -1;
    for (const [i, block] of this.free.entries()) {
      if (block.capacity < capacity || block.capacity > LARGEST_FIT * capacity) continue;
      if (best < 0 || block.capacity < this.free[best]!.capacity) best = i;
    }
    return best < 0 ? null : this.free.splice(best, 1)[0]!;
  }

  /** Not used in this step yet. */
  private isUnused(block: Block): boolean {
    return block.lastUse < this.step;
  }

  /** A new block, in the place of spare ones of earlier steps that are too small. */
  private make(capacity: number): Block {
    for (let freed = 0; freed < capacity; ) {
      const at = this.free.findIndex((block) => this.isUnused(block) && block.capacity < capacity);
      if (at < 0) break;
      const [{ tensor, capacity: size }] = this.free.splice(at, 1) as [Block];
      this.be.free(tensor);
      freed += size;
    }
    return { tensor: this.be.tensor("f32", [capacity]), capacity, lastUse: this.step };
  }
}

/** The next size of four steps an octave, so that steps of other numbers of rows find blocks again. */
function capacityFor(count: number): number {
  if (count <= SMALLEST) return SMALLEST;
  const unit = 2 ** (Math.floor(Math.log2(count - 1)) - 2);
  return Math.ceil(count / unit) * unit;
}
