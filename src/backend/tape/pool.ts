import type { Backend } from "../backend.js";
import { elementCount, type Tensor } from "../tensor.js";

const SMALLEST = 256;

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
    const at = this.free.findIndex((block) => block.capacity === capacity);
    const block = at < 0 ? this.make(capacity) : this.free.splice(at, 1)[0]!;
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
      if (this.free[i]!.lastUse < this.step) this.be.free(this.free.splice(i, 1)[0]!.tensor);
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

  private make(capacity: number): Block {
    return { tensor: this.be.tensor("f32", [capacity]), capacity, lastUse: this.step };
  }
}

/** The next size of four steps an octave, so that steps of other numbers of rows find blocks again. */
function capacityFor(count: number): number {
  if (count <= SMALLEST) return SMALLEST;
  const unit = 2 ** (Math.floor(Math.log2(count - 1)) - 2);
  return Math.ceil(count / unit) * unit;
}
