import type { Backend } from "../backend.js";
import type { Tensor } from "../tensor.js";
import type { Pool } from "./pool.js";
import { isSame, type Region } from "./region.js";

/** Where an op writes a gradient. */
export interface Target {
  readonly tensor: Tensor;
  /** Whether there is one already, to be added to. */
  readonly accumulate: boolean;
}

interface Shadow {
  readonly tensor: Tensor; // flat, of the owner's size
  /** Elements that have a gradient: ascending, disjoint [start, end). Elsewhere it is zero, and not written. */
  defined: (readonly [start: number, end: number])[];
}

/**
 * Gradients of the values that the buffers of a step hold at the moment that the tape has gone back to. Each buffer has a
 * shadow of its size: views are views of the shadow, and an op in place passes its gradient on in place.
 */
export class Gradients {
  private readonly shadows = new Map<Tensor, Shadow>();
  private readonly places = new WeakMap<Tensor, Region>(); // of the views that were handed out

  constructor(
    private readonly be: Backend,
    private readonly pool: Pool,
    private readonly sizeOf: (owner: Tensor) => number,
  ) {}

  /** The gradient of a value, or null where nothing depends on it. */
  read(region: Region, shape: readonly number[]): Tensor | null {
    const shadow = this.shadows.get(region.owner);
    if (shadow === undefined || !shadow.defined.some(([start, end]) => start < region.end && region.start < end)) {
      return null;
    }
    this.fillHoles(shadow, region);
    return this.view(shadow, region, shape);
  }

  /** The value was overwritten here: before that it had no gradient. What `read` returned keeps its numbers until then. */
  clear(region: Region): void {
    const shadow = this.shadows.get(region.owner);
    if (shadow === undefined) return;
    shadow.defined = shadow.defined.flatMap(([start, end]) =>
      [[start, Math.min(end, region.start)] as const, [Math.max(start, region.end), end] as const].filter(
        ([a, b]) => a < b,
      ),
    );
  }

  /** Where to write or add the gradient of a value. */
  target(region: Region, shape: readonly number[]): Target {
    const accumulate = this.read(region, shape) !== null;
    const shadow = this.shadow(region.owner);
    if (!accumulate) this.define(shadow, region.start, region.end);
    return { tensor: this.view(shadow, region, shape), accumulate };
  }

  /** The gradient of a value for an op that only adds to it: zeros where there is none yet. */
  summed(region: Region, shape: readonly number[]): Tensor {
    const { tensor, accumulate } = this.target(region, shape);
    if (!accumulate) this.be.scale(tensor, tensor, 0);
    return tensor;
  }

  /** Whether a gradient that was handed out lies where that of `region` is: nothing needs to be copied then. */
  isAt(gradient: Tensor, region: Region): boolean {
    const place = this.places.get(gradient);
    return place !== undefined && isSame(place, region);
  }

  /** No value has a gradient any more. */
  reset(): void {
    this.shadows.clear();
  }

  private shadow(owner: Tensor): Shadow {
    let shadow = this.shadows.get(owner);
    if (shadow === undefined) {
      shadow = { tensor: this.pool.take([this.sizeOf(owner)]), defined: [] };
      this.shadows.set(owner, shadow);
    }
    return shadow;
  }

  private view(shadow: Shadow, region: Region, shape: readonly number[]): Tensor {
    const view = this.be.view(shadow.tensor, shape, region.start);
    this.places.set(view, region);
    return view;
  }

  private fillHoles(shadow: Shadow, region: Region): void {
    let at = region.start;
    const holes: [number, number][] = [];
    for (const [start, end] of shadow.defined) {
      if (start >= region.end) break;
      if (start > at) holes.push([at, start]);
      at = Math.max(at, end);
    }
    if (at < region.end) holes.push([at, region.end]);
    for (const [start, end] of holes) {
      const hole = this.be.view(shadow.tensor, [end - start], start);
      this.be.scale(hole, hole, 0);
      this.define(shadow, start, end);
    }
  }

  private define(shadow: Shadow, start: number, end: number): void {
    const ranges = [...shadow.defined, [start, end] as const].sort((a, b) => a[0] - b[0]);
    shadow.defined = ranges.reduce<(readonly [number, number])[]>((merged, range) => {
      const last = merged.at(-1);
      if (last !== undefined && last[1] >= range[0]) merged[merged.length - 1] = [last[0], Math.max(last[1], range[1])];
      else merged.push(range);
      return merged;
    }, []);
  }
}
