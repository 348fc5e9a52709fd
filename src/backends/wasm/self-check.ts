import type { StoredDtype } from "../../base/dtype.js";
import type { Machine } from "./machine.js";
import { release } from "./memory.js";
import { Products } from "./products.js";
import { makeWeight } from "./weight.js";

const COLUMNS = 32;
const PANEL = 16;
const ROWS = [1, 5]; // one is multiplied alone; of five, four are a tile
const ONE = 0x3c00; //  f16

/** Quants of a stored block with scale 1, and the numbers that they stand for. */
const BLOCKS: Partial<Record<StoredDtype, (random: () => number) => { bytes: Uint8Array; values: number[] }>> = {
  Q4_0(random) {
    const bytes = Uint8Array.from({ length: 18 }, random);
    const nibbles = bytes.subarray(2);
    const values = Array.from({ length: 32 }, (_, k) => (k < 16 ? nibbles[k]! & 15 : nibbles[k - 16]! >> 4) - 8);
    return { bytes, values };
  },
  Q5_0(random) {
    const bytes = Uint8Array.from({ length: 22 }, random);
    const fifth = (k: number) => ((bytes[2 + (k >> 3)]! >> (k & 7)) & 1) << 4;
    const nibbles = bytes.subarray(6);
    const values = Array.from({ length: 32 }, (_, k) => {
      const nibble = k < 16 ? nibbles[k]! & 15 : nibbles[k - 16]! >> 4;
      return (nibble | fifth(k)) - 16;
    });
    return { bytes, values };
  },
  Q8_0(random) {
    const bytes = Uint8Array.from({ length: 34 }, random);
    return { bytes, values: [...new Int8Array(bytes.buffer, 2, 32)] };
  },
};

/**
 * Whether products are what they should be. An engine's compiler may get an instruction wrong that is new to it, and what a
 * relaxed instruction does beyond its range is the engine's choice: nobody should read text that came of that.
 */
export function multipliesRightly(machine: Machine): boolean {
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  };
  const products = new Products(machine, "int8");
  for (const [dtype, make] of Object.entries(BLOCKS)) {
    const blocks = Array.from({ length: PANEL }, () => make(random));
    const stored = new Uint8Array(blocks.flatMap(({ bytes }) => [ONE & 255, ONE >> 8, ...bytes.subarray(2)]));
    const weight = makeWeight(machine, {
      name: "self-check",
      dtype: dtype as StoredDtype,
      shape: [PANEL, COLUMNS],
      read: (offset, length) => stored.subarray(offset, offset + length),
    });
    for (const rows of ROWS) {
      // Whole numbers up to 127, which every block reaches, are not rounded.
      const x = Float32Array.from({ length: rows * COLUMNS }, (_, i) =>
        i % COLUMNS === 0 ? -127 : (random() % 255) - 127,
      );
      const xAt = machine.buffer("check x", 4 * x.length);
      const outAt = machine.buffer("check out", 4 * rows * PANEL);
      machine.floats(xAt, x.length).set(x);
      products.runAt([outAt], xAt, rows, [weight]);
      const out = machine.floats(outAt, rows * PANEL);
      for (let i = 0; i < out.length; i++) {
        const values = blocks[i % PANEL]!.values;
        const first = Math.floor(i / PANEL) * COLUMNS;
        if (out[i] !== values.reduce((sum, value, k) => sum + value * x[first + k]!, 0)) return false;
      }
    }
    release(machine, weight);
  }
  return true;
}
