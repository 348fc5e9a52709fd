import type { Activations } from "../../backend/backend.js";
import { K_MATMUL, K_PREPARE_X, ROW_BLOCK } from "./layout.js";
import type { Machine } from "./machine.js";
import type { WasmTensor, WasmWeight } from "./memory.js";

const PREPARE_GRAIN = 16_384; // elements

/** Products with packed weights, whose activations are rounded to 8 bits first or stay as they are. */
export class Products {
  constructor(
    private readonly machine: Machine,
    private readonly activations: Activations,
  ) {}

  /** outs[i] = x · weights[i]ᵀ */
  run(outs: readonly WasmTensor[], x: WasmTensor, weights: readonly WasmWeight[]): void {
    const outAddresses = outs.map(({ address }) => address);
    this.runAt(outAddresses, x.address, x.shape[0]!, weights);
  }

  /** The same, of rows that lie at an address. */
  runAt(outs: readonly number[], x: number, rows: number, weights: readonly WasmWeight[]): void {
    const prepared = this.prepareAt(x, rows, weights);
    const args = [rows, x, prepared, prepared === 0 ? 0 : 1, weights.length];
    let items = 0;
    for (const [i, weight] of weights.entries()) {
      args.push(weight.address, outs[i]!);
      items += weight.panels * Math.ceil(rows / ROW_BLOCK);
    }
    this.machine.run(K_MATMUL, items, this.grain(items), args);
  }

  /** Items that a thread takes at once: each thread gets eight shares or so. */
  grain(items: number): number {
    return Math.max(1, Math.ceil(items / (8 * this.machine.threads)));
  }

  prepare(x: WasmTensor, weights: readonly WasmWeight[]): number {
    return this.prepareAt(x.address, x.shape[0]!, weights);
  }

  /** The address of rows rounded to 8 bits, valid until the next call; 0 where no weight wants them. */
  prepareAt(x: number, rows: number, weights: readonly WasmWeight[]): number {
    if (this.activations === "f32" || rows === 0 || !weights.some(({ isQuantised }) => isQuantised)) return 0;
    const columns = weights[0]!.shape[1];
    const prepared = this.machine.buffer("prepared", rows * this.machine.exports.xBytes(columns));
    this.machine.run(K_PREPARE_X, rows, PREPARE_GRAIN / columns, [x, columns, prepared]);
    return prepared;
  }
}
