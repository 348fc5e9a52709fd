import type { RopeOptions } from "../../backend/ops/rope.js";
import type { Machine } from "./machine.js";

interface Table {
  readonly positions: Int32Array;
  readonly address: number;
}

/** Cosines and sines of a step's positions: all layers of one kind turn by the same angles. */
export class RopeTables {
  private readonly tables = new Map<string, Table>();

  constructor(private readonly machine: Machine) {}

  /** Addresses of f32 [T, H/2] cosines and sines. */
  anglesOf(positions: Int32Array, { headDim, theta, scalingFactor }: RopeOptions): [cosines: number, sines: number] {
    const key = `rope ${headDim} ${theta} ${scalingFactor}`;
    const half = headDim / 2;
    const count = positions.length * half;
    const have = this.tables.get(key);
    if (have !== undefined && isSame(have.positions, positions)) return [have.address, have.address + 4 * count];
    this.tables.delete(key);
    const own = positions.slice(); // memory that grows takes views along
    const address = this.machine.buffer(key, 8 * count);
    const cosines = this.machine.floats(address, count);
    const sines = this.machine.floats(address + 4 * count, count);
    const frequencies = Float64Array.from({ length: half }, (_, i) => theta ** ((-2 * i) / headDim));
    for (let t = 0; t < own.length; t++) {
      const position = own[t]! / scalingFactor;
      for (let i = 0; i < half; i++) {
        const angle = position * frequencies[i]!;
        cosines[t * half + i] = Math.cos(angle);
        sines[t * half + i] = Math.sin(angle);
      }
    }
    this.tables.set(key, { positions: own, address });
    return [address, address + 4 * count];
  }
}

function isSame(a: Int32Array, b: Int32Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
