import type { RopeOptions } from "../../backend/ops/rope.js";
import type { Gpu } from "./gpu.js";

const PLACES = 3; // digits of base 256: positions below 2^24
const BASE = 256;

/** [PLACES, BASE, H/2] cosines and sines of digit · BASE^place · frequency, computed in f64: rope.wgsl. */
function tableOf({ headDim, theta, scalingFactor }: RopeOptions): Float32Array<ArrayBuffer> {
  const half = headDim / 2;
  const table = new Float32Array(PLACES * BASE * half * 2);
  let at = 0;
  for (let place = 0; place < PLACES; place++) {
    for (let digit = 0; digit < BASE; digit++) {
      const position = (digit * BASE ** place) / scalingFactor;
      for (let i = 0; i < half; i++) {
        const angle = position * theta ** ((-2 * i) / headDim);
        table[at++] = Math.cos(angle);
        table[at++] = Math.sin(angle);
      }
    }
  }
  return table;
}

/** Tables by their options: a model has one or two. */
export class RopeTables {
  private readonly tables = new Map<string, GPUBuffer>();

  constructor(private readonly gpu: Gpu) {}

  get(options: RopeOptions): GPUBuffer {
    const key = `${options.headDim} ${options.theta} ${options.scalingFactor}`;
    const found = this.tables.get(key);
    if (found !== undefined) return found;
    const table = tableOf(options);
    const buffer = this.gpu.buffer(table.byteLength, "a table of rotations");
    this.gpu.device.queue.writeBuffer(buffer, 0, table);
    this.tables.set(key, buffer);
    return buffer;
  }
}
