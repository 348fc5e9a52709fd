import type { SampleRow } from "../../backend/ops/sample.js";
import {
  AT_ONCE,
  K_REFINE,
  K_SCREEN,
  K_SOME_PANELS,
  LEAST_NORM,
  MAY_REACH,
  PANEL_ROWS,
  S_BYTES,
  S_DROP,
  S_LOWER,
  S_LOWER_CENTRE,
  S_REACH,
  S_UPPER,
  S_UPPER_CENTRE,
  W_IS_IRREGULAR,
} from "./layout.js";
import { byLikelihood, type Candidate, capLogits, LogitRow } from "./logits.js";
import { f32Bits, type Machine } from "./machine.js";
import type { WasmWeight } from "./memory.js";
import type { Products } from "./products.js";

const LEAST_SHARE = 64; // logits for each candidate that is wanted, at least
const PAUSE = 64; //       calls without screening after one that had to look closer at nearly all panels
const ROUNDING = 2 ** -23;
const GRAIN = 16; //       panels

/** A head times a row of x, and the soft cap of its logits. */
interface Product {
  readonly prepared: number;
  readonly head: WasmWeight;
  readonly cap: number | null;
}

/** The most likely ids without all logits: bounds from the upper halves of a split head show which ones to compute. */
export class Screening {
  constructor(
    private readonly machine: Machine,
    private readonly products: Products,
  ) {}

  /** Those of one row of x that `row` chooses from, the most likely first; null where all logits have to be computed. */
  candidates(x: number, head: WasmWeight, cap: number | null, row: SampleRow): readonly Candidate[] | null {
    const wanted = row.temperature === 0 ? 1 : row.topK;
    if (!head.isScreened || wanted > head.shape[0] / LEAST_SHARE) return null;
    if (this.machine.integers(head.address + W_IS_IRREGULAR, 1)[0] !== 0) return null; // nothing bounds such scales
    if (head.unscreened > 0) {
      head.unscreened -= 1;
      return null;
    }
    const prepared = this.products.prepareAt(x, 1, [head]);
    const order = prepared === 0 ? null : this.plan(prepared, head.shape[1]);
    return order && this.choose({ prepared, head, cap }, order, wanted);
  }

  /**
   * Writes what is known of each group of the row; see kernels/screen.ts.
   * @returns the groups, those that matter most first; null where numbers are none, or so large that a bound might overflow
   */
  private plan(prepared: number, columns: number): Uint32Array | null {
    const { machine } = this;
    const count = columns / 32;
    const plan = machine.floats(machine.buffer("screen plan", S_BYTES * count), (S_BYTES / 4) * count);
    const isRelaxed = machine.isa === "relaxed-simd";
    const { buffer } = machine.memory;
    const quants = isRelaxed ? new Int8Array(buffer, prepared, columns) : new Int16Array(buffer, prepared, columns);
    const scales = machine.floats(prepared + machine.exports.xQuantBytes(columns), count);
    // The estimate is a chain of 8 · count products and sums, the slack one of 4 · count, the exact logit one of less; each
    // rounds sums of at most 383, 43 and 128 times scale · sum |quants| · weight scale.
    const rounding = ((8 * count + 32) * ROUNDING * 256) / LEAST_NORM;
    let total = 0;
    for (let g = 0; g < count; g++) {
      const scale = scales[g]!;
      let [sum, size, squares] = [0, 0, 0];
      for (let i = 32 * g; i < 32 * (g + 1); i++) {
        const quant = quants[i]!; // within four in another order without relaxed SIMD
        sum += quant;
        size += Math.abs(quant);
        squares += quant * quant;
      }
      const length = scale * Math.sqrt(squares);
      const set = (at: number, value: number) => {
        plan[(g * S_BYTES + at) / 4] = value;
      };
      set(S_UPPER, 16 * scale);
      set(S_UPPER_CENTRE, scale * -120.5 * sum);
      set(S_REACH, length * (1 + 4 * ROUNDING) + rounding * scale * size);
      set(S_LOWER, scale);
      set(S_LOWER_CENTRE, scale * -7.5 * sum);
      set(S_DROP, length * (1 - 4 * ROUNDING));
      total += scale * size;
    }
    if (!(total < 1e30)) return null;
    const dropOf = (g: number) => plan[(g * S_BYTES + S_DROP) / 4]!;
    return Uint32Array.from({ length: count }, (_, g) => g).sort((a, b) => dropOf(b) - dropOf(a));
  }

  private choose(product: Product, order: Uint32Array, wanted: number): readonly Candidate[] {
    const { machine } = this;
    const { prepared, head, cap } = product;
    const { panels } = head;
    const plan = machine.buffer("screen plan", 0);
    const estimates = machine.buffer("estimates", 4 * PANEL_ROWS * panels);
    const slacks = machine.buffer("slacks", 4 * PANEL_ROWS * panels);
    const orderAt = machine.buffer("screen order", 4 * order.length);
    const foundAt = machine.buffer("screen found", panels);
    const common = [head.address, prepared, plan, estimates, slacks];
    machine.run(K_SCREEN, panels, GRAIN, common);

    const likely = new LogitRow(machine, estimates, head.shape[0]).best(wanted);
    const first = [...new Set(likely.map(({ id }) => Math.floor(id / PANEL_ROWS)))];
    const known = this.exact(product, first, Number.NEGATIVE_INFINITY);
    const threshold = known[wanted - 1]?.logit ?? Number.NEGATIVE_INFINITY; // so many logits reach it

    machine.integers(orderAt, order.length).set(order);
    machine.run(K_REFINE, panels, GRAIN, [...common, orderAt, f32Bits(beforeCap(threshold, cap)), foundAt]);
    const found = machine.bytes(foundAt, panels);
    const rest: number[] = [];
    let atOnce = 0;
    for (let panel = 0; panel < panels; panel++) {
      if (found[panel] === MAY_REACH) rest.push(panel);
      else if (found[panel] === AT_ONCE) atOnce += 1;
    }
    if (atOnce < panels / 8) head.unscreened = PAUSE;
    return this.exact(product, rest, threshold).slice(0, wanted);
  }

  /** Logits of some panels as matmul and softCap compute them: those of at least `low`, the largest first. */
  private exact({ prepared, head, cap }: Product, panels: readonly number[], low: number): Candidate[] {
    const { machine } = this;
    const listAt = machine.buffer("some panels", 4 * head.panels);
    const logitsAt = machine.buffer("some logits", 4 * PANEL_ROWS * head.panels);
    machine.integers(listAt, panels.length).set(panels);
    machine.run(K_SOME_PANELS, panels.length, 1, [head.address, prepared, listAt, logitsAt]);
    capLogits(machine, logitsAt, PANEL_ROWS * panels.length, cap);
    const logits = machine.floats(logitsAt, PANEL_ROWS * panels.length);
    const candidates: Candidate[] = [];
    for (const [i, logit] of logits.entries()) {
      const id = panels[Math.floor(i / PANEL_ROWS)]! * PANEL_ROWS + (i % PANEL_ROWS);
      if (logit >= low && logit > Number.NEGATIVE_INFINITY && id < head.shape[0]) candidates.push({ id, logit });
    }
    return candidates.sort(byLikelihood);
  }
}

/** A logit below this is, capped, below `capped`, whatever the cap's rounding (see the tolerance of softCap). */
function beforeCap(capped: number, cap: number | null): number {
  if (cap === null || capped === Number.NEGATIVE_INFINITY) return capped;
  const share = Math.min((capped - 4e-6 * (1 + cap)) / cap, 1 - 1e-7);
  if (share <= -1) return Number.NEGATIVE_INFINITY;
  const low = cap * Math.atanh(share);
  return low - 1e-6 * Math.abs(low);
}
