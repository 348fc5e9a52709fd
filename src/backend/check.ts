import { GemmaError } from "../base/errors.js";
import type { Tensor, TensorDtype } from "./tensor.js";

// The checks run before every operation of every step: they allocate nothing unless they throw.

/** What a check reads of a tensor or a weight. */
type Shaped = { readonly shape: readonly number[]; readonly dtype: string };

/** Rows of a matrix, -1 for what is none: `expectMatrix` then says so. */
export function rowsOf(tensor: Shaped): number {
  return tensor.shape[0] ?? -1;
}

/** Columns of a matrix, -1 for what is none. */
export function widthOf(tensor: Shaped): number {
  return tensor.shape[1] ?? -1;
}

/** @throws ERR_SHAPE `add: b must be f32 [4, 640] (T, D), got f32 [4, 64]` */
export function expectMatrix(
  op: string,
  argument: string,
  tensor: Tensor,
  rows: number,
  width: number,
  letters: string,
  dtype: TensorDtype = "f32",
): void {
  const { shape } = tensor;
  if (shape.length === 2 && shape[0] === rows && shape[1] === width && tensor.dtype === dtype) return;
  const wanted = rows < 0 || width < 0 ? letters : `${rows}, ${width}`;
  throw new GemmaError(
    "ERR_SHAPE",
    `${op}: ${argument} must be ${dtype} [${wanted}] (${letters}), got ${show(tensor)}`,
  );
}

/** @throws ERR_SHAPE `rmsNorm: weight must be f32 [2048] (D), got f32 [3072]` */
export function expectVector(
  op: string,
  argument: string,
  tensor: Tensor,
  length: number,
  letter: string,
  dtype: TensorDtype = "f32",
): void {
  if (tensor.shape.length === 1 && tensor.shape[0] === length && tensor.dtype === dtype) return;
  throw new GemmaError("ERR_SHAPE", `${op}: ${argument} must be ${dtype} [${length}] (${letter}), got ${show(tensor)}`);
}

/** @throws ERR_SHAPE `sumSquares: x must be f32, got i32 [4]` */
export function expectFloats(op: string, argument: string, tensor: Tensor): void {
  if (tensor.dtype === "f32") return;
  throw new GemmaError("ERR_SHAPE", `${op}: ${argument} must be f32, got ${show(tensor)}`);
}

/** @throws ERR_SHAPE `scale: x must be f32 [2, 3] like its partner, got f32 [6]` */
export function expectSameShape(op: string, argument: string, tensor: Tensor, like: Tensor): void {
  const { shape } = tensor;
  const isSame = shape.length === like.shape.length && shape.every((dim, i) => dim === like.shape[i]);
  if (isSame && tensor.dtype === "f32" && like.dtype === "f32") return;
  const wanted = `f32 [${like.shape.join(", ")}]`;
  throw new GemmaError("ERR_SHAPE", `${op}: ${argument} must be ${wanted}, as its partner, got ${show(tensor)}`);
}

/** @throws ERR_RANGE `rmsNorm: eps must be > 0, got 0` */
export function expectPositive(op: string, argument: string, value: number): void {
  if (value > 0 && value < Number.POSITIVE_INFINITY) return;
  throw new GemmaError("ERR_RANGE", `${op}: ${argument} must be > 0, got ${value}`);
}

/** @throws ERR_RANGE unless `value` is a number that is not NaN or infinite. */
export function expectFinite(op: string, argument: string, value: number): void {
  if (Number.isFinite(value)) return;
  throw new GemmaError("ERR_RANGE", `${op}: ${argument} must be finite, got ${value}`);
}

/** @throws ERR_RANGE unless `value` is in [min, max]. */
export function expectWithin(op: string, argument: string, value: number, min: number, max: number): void {
  if (value >= min && value <= max) return;
  throw new GemmaError("ERR_RANGE", `${op}: ${argument} must be in ${min}..${max}, got ${value}`);
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

/** @throws ERR_SHAPE when an output that must not be an input is the same tensor. */
export function expectDistinct(op: string, out: Tensor, argument: string, input: Tensor): void {
  if (out !== input) return;
  throw new GemmaError("ERR_SHAPE", `${op}: out must be another tensor than ${argument}, got the same`);
}

function show(tensor: Shaped): string {
  return `${tensor.dtype} [${tensor.shape.join(", ")}]`;
}
