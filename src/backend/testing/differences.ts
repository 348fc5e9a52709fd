/** 1 where two results differ in a bit. An output that must be all 0 on every backend, for equal computations. */
export function differences(one: Float32Array | Int32Array, other: Float32Array | Int32Array): Int32Array {
  return Int32Array.from(one, (value, i) => (Object.is(value, other[i]) ? 0 : 1));
}
