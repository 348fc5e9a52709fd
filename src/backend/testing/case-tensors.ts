import { GemmaError } from "../../base/errors.js";
import type { Rng } from "../../base/rng.js";
import type { Backend } from "../backend.js";
import { elementCount, type Tensor, type TensorDtype } from "../tensor.js";

/**
 * Kinds of numbers that cases run on. huge: squares fit into f32, cubes do not. halves: multiples of 1/2 up to 127, which
 * every group of 32 reaches, so that 8-bit codes are whole numbers or ties.
 */
export type Fill = "normal" | "large" | "huge" | "tiny" | "denormal" | "zero" | "halves";

const SCALES: Readonly<Record<Exclude<Fill, "halves">, number>> = {
  normal: 1,
  large: 1e4,
  huge: 1e13,
  tiny: 1e-12,
  denormal: 1e-41,
  zero: 0,
};

export function randomValues(rng: Rng, count: number, fill: Fill = "normal"): Float32Array {
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    if (fill !== "halves") values[i] = rng.normal() * SCALES[fill];
    else values[i] = i % 32 === 0 ? 127 : (rng.integer(507) - 253) / 2;
  }
  return values;
}

const PADDING = 19; // odd, so that the guard behind starts at no lane's border
const GUARDS: Readonly<Record<TensorDtype, number>> = { f32: 1234.5, i32: 12345 };
const UNWRITTEN: Readonly<Record<TensorDtype, number>> = { f32: Number.NaN, i32: -77 };

/**
 * Tensors of one case: views that begin at element `start` of a larger one, so that a kernel meets rows at any
 * alignment, between guard elements that no op may change.
 */
export class CaseTensors {
  private readonly owners = new Map<Tensor, Tensor>();

  constructor(
    private readonly be: Backend,
    private readonly start = 0,
  ) {}

  input(shape: readonly number[], values: Float32Array | Int32Array): Tensor {
    const dtype = values instanceof Float32Array ? "f32" : "i32";
    const padded =
      values instanceof Float32Array ? new Float32Array(this.size(shape)) : new Int32Array(this.size(shape));
    padded.fill(GUARDS[dtype]);
    padded.set(values, this.start);
    const owner = this.be.tensor(dtype, [padded.length]);
    this.be.write(owner, padded);
    const view = this.be.view(owner, shape, this.start);
    this.owners.set(view, owner);
    return view;
  }

  /** An output that holds NaN (or -77) until an op overwrites it. */
  output(dtype: TensorDtype, shape: readonly number[]): Tensor {
    const count = elementCount(shape);
    const values = dtype === "f32" ? new Float32Array(count) : new Int32Array(count);
    return this.input(shape, values.fill(UNWRITTEN[dtype]));
  }

  /** Copies a tensor of this case out. @throws ERR_OUT_OF_BOUNDS when an op wrote outside it */
  async read(tensor: Tensor): Promise<Float32Array | Int32Array> {
    const owner = this.owners.get(tensor)!;
    const padded = await this.be.read(owner);
    const end = this.start + elementCount(tensor.shape);
    for (let i = 0; i < padded.length; i++) {
      if (i === this.start) i = end;
      if (padded[i] === GUARDS[tensor.dtype]) continue;
      const where = i < end ? `${this.start - i} before` : `${i - end + 1} behind`;
      throw new GemmaError(
        "ERR_OUT_OF_BOUNDS",
        `an op must not write outside its output, wrote ${padded[i]} ${where} it`,
      );
    }
    return padded.slice(this.start, end);
  }

  private size(shape: readonly number[]): number {
    return this.start + elementCount(shape) + PADDING;
  }
}
