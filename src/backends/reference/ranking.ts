/** The ids 0..V-1 from the greatest value down; equal values: the lower id first. Values are not NaN. */
export function ranking(values: Float32Array): Int32Array {
  const ids = Int32Array.from(values.keys());
  return ids.sort((a, b) => values[b]! - values[a]! || a - b);
}
