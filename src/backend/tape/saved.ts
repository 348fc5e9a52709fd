import type { Backend } from "../backend.js";
import type { Tensor } from "../tensor.js";
import type { Pool } from "./pool.js";
import { isSame, overlaps, type Region } from "./region.js";

/** A value that a backward op needs: the memory it was in, or a copy once that was overwritten. */
export class SavedValue {
  copy: Tensor | null = null;
  users = 0;

  constructor(
    readonly region: Region,
    private readonly original: Tensor,
  ) {}

  /** Under the shape of the tensor that was saved first. */
  get tensor(): Tensor {
    return this.copy ?? this.original;
  }
}

/**
 * Saved values of a segment. Buffers have versions: a value that is saved twice before it is overwritten is kept once, and
 * only what is overwritten while somebody needs it is copied.
 */
export class SavedValues {
  private readonly current: SavedValue[] = []; // still in their own memory

  constructor(
    private readonly be: Backend,
    private readonly pool: Pool,
  ) {}

  /** Keeps the value that `tensor` has now, until released. */
  hold(region: Region, tensor: Tensor): SavedValue {
    const known = this.current.find((value) => isSame(value.region, region) && sameShape(value.tensor, tensor));
    const value = known ?? new SavedValue(region, tensor);
    if (known === undefined) this.current.push(value);
    value.users += 1;
    return value;
  }

  /** `region` is about to be overwritten: copies what is saved of it. */
  beforeWrite(region: Region): void {
    for (let i = this.current.length - 1; i >= 0; i--) {
      const value = this.current[i]!;
      if (!overlaps(value.region, region)) continue;
      const copy = this.pool.take(value.tensor.shape);
      this.be.scale(copy, value.tensor, 1);
      value.copy = copy;
      this.current.splice(i, 1);
    }
  }

  /** Nobody needs anything any more. */
  reset(): void {
    this.current.length = 0;
  }

  release(value: SavedValue): void {
    value.users -= 1;
    if (value.users > 0) return;
    const at = this.current.indexOf(value);
    if (at >= 0) this.current.splice(at, 1);
    if (value.copy !== null) this.pool.giveBack(value.copy);
  }
}

function sameShape(a: Tensor, b: Tensor): boolean {
  return a.shape.length === b.shape.length && a.shape.every((dim, i) => dim === b.shape[i]);
}
