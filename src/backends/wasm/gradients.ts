import { K_MATMUL_BACKWARD, K_PRODUCT, K_SCALE } from "./layout.js";
import { f32Bits, type Machine } from "./machine.js";
import type { WasmTensor, WasmWeight } from "./memory.js";

const BACKWARD_ROWS = 128; // as kernels/matmul-backward.ts has them
const BACKWARD_STRIP = 64;
const PRODUCT_ROWS = 16; //   as kernels/product.ts has them
const SCALE_GRAIN = 16_384;

/** A matrix in memory: bytes between rows, and between the terms of a row. */
interface Strided {
  readonly address: number;
  readonly row: number;
  readonly term: number;
}

/** Products that gradients consist of. */
export class Gradients {
  constructor(private readonly machine: Machine) {}

  /** dx [T, K] += dOut [T, N] · weight */
  throughWeight(dx: number, dOut: number, rows: number, weight: WasmWeight): void {
    const items = Math.ceil(rows / BACKWARD_ROWS) * Math.ceil(weight.shape[1] / BACKWARD_STRIP);
    this.machine.run(K_MATMUL_BACKWARD, items, 1, [dx, dOut, weight.address, rows]);
  }

  /** dWeight [N, K] += dOut [T, N]ᵀ · x [T, K] */
  ofWeight(dWeight: number, dOut: number, x: number, [N, K]: readonly number[], rows: number): void {
    const a = { address: dOut, row: 4, term: 4 * N! };
    this.product(dWeight, a, { address: x, row: 4 * K! }, [N!, K!, rows]);
  }

  /** c [rows, columns] += a [rows, terms] · b [terms, columns] */
  product(
    c: number,
    a: Strided,
    b: Omit<Strided, "term">,
    [rows, columns, terms]: readonly [rows: number, columns: number, terms: number],
  ): void {
    const args = [c, 4 * columns, a.address, a.row, a.term, b.address, b.row, rows, columns, terms];
    this.machine.run(K_PRODUCT, Math.ceil(rows / PRODUCT_ROWS), 1, args);
  }

  scale(out: number, x: number, count: number, factor: number): void {
    this.machine.run(K_SCALE, count, SCALE_GRAIN, [out, x, f32Bits(factor)]);
  }

  clear(tensor: WasmTensor): void {
    this.clearAt(
      tensor.address,
      tensor.shape.reduce((product, size) => product * size, 1),
    );
  }

  clearAt(address: number, count: number): void {
    this.scale(address, address, count, 0);
  }
}
