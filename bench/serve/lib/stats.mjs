/** The smallest value that at least `share` (0 to 1) of all values do not exceed. */
export function percentile(values, share) {
  if (values.length === 0) throw new Error("percentile: needs a value, got none");
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

/** Least squares: how much y grows while x grows by 1, and the standard error of that where y has independent noise. */
export function slope(points) {
  const n = points.length;
  if (n < 3) throw new Error(`slope: needs 3 points, got ${n}`);
  const mean = (of) => points.reduce((sum, point) => sum + of(point), 0) / n;
  const [x, y] = [mean((point) => point.x), mean((point) => point.y)];
  const sum = (of) => points.reduce((total, point) => total + of(point.x - x, point.y - y), 0);
  const xx = sum((dx) => dx * dx);
  if (xx === 0) throw new Error("slope: the points must differ in x");
  const rise = sum((dx, dy) => dx * dy) / xx;
  const rest = sum((dx, dy) => (dy - rise * dx) ** 2);
  return { rise, error: Math.sqrt(rest / (n - 2) / xx) };
}

/** How many of each: Map in the order of first appearance. */
export function tally(values) {
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}
