import { GemmaError } from "../base/errors.js";
import type { Tensor, TensorDtype } from "./tensor.js";

/** @throws ERR_SHAPE `rmsNorm: weight must be f32 [2048] (D), got f32 [3072]` */
export function expectShape(
  op: string,
  argument: string,
  tensor: { readonly shape: readonly number[]; readonly dtype: string },
  shape: readonly number[],
  letters: string,
  dtype: TensorDtype | null = "f32",
): void {
  const actual = tensor.shape;
  let same = actual.length === shape.length && (dtype === null || tensor.dtype === dtype);
  for (let i = 0; same && i < shape.length; i++) same = actual[i] === shape[i];
  if (same) return;
  const wanted = `${dtype === null ? "" : `${dtype} `}[${shape.join(", ")}]`;
  throw new GemmaError(
    "ERR_SHAPE",
    `${op}: ${argument} must be ${wanted} (${letters}), got ${tensor.dtype} [${actual.join(", ")}]`,
  );
}

/** Returns the two dimensions of a matrix. @throws ERR_SHAPE when it is none. */
export function expectMatrix(op: string, argument: string, tensor: Tensor, letters: string): [number, number] {
  const [rows, width] = tensor.shape;
  if (tensor.shape.length !== 2 || tensor.dtype !== "f32" || rows === undefined || width === undefined) {
    const actual = `${tensor.dtype} [${tensor.shape.join(", ")}]`;
    throw new GemmaError("ERR_SHAPE", `${op}: ${argument} must be f32 [${letters}], got ${actual}`);
  }
  return [rows, width];
}

/** @throws ERR_RANGE `rmsNorm: eps must be > 0, got 0` */
export function expectPositive(op: string, argument: string, value: number): void {
  if (value > 0 && value < Number.POSITIVE_INFINITY) return;
  throw new GemmaError("ERR_RANGE", `${op}: ${argument} must be > 0, got ${value}`);
}

/** @throws ERR_RANGE unless `value` is an integer in [min, max]. */
export function expectInteger(op: string, argument: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new GemmaError("ERR_RANGE", `${op}: ${argument} must be an integer in ${min}..${max}, got ${value}`);
}

/** @throws ERR_SHAPE `rope: x must be a multiple of head width 256 wide, got 640` */
export function expectMultiple(op: string, argument: string, width: number, of: number, what: string): void {
  if (of > 0 && width % of === 0) return;
  throw new GemmaError("ERR_SHAPE", `${op}: ${argument} must be a multiple of ${what} ${of} wide, got ${width}`);
}
