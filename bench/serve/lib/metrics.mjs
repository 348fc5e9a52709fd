// Prometheus' text format, as much of it as servers of language models write.
const SAMPLE = /^([a-zA-Z_:][\w:]*)(\{.*\})?\s+(\S+)(?:\s+-?\d+)?$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;

/** @returns {Map<string, { labels: Record<string, string>, value: number }[]>} */
export function parseMetrics(text) {
  const metrics = new Map();
  for (const line of text.split("\n")) {
    const found = SAMPLE.exec(line.trim());
    if (line.startsWith("#") || found === null) continue;
    const [, name, labels = "", value] = found;
    if (!metrics.has(name)) metrics.set(name, []);
    metrics.get(name).push({
      labels: Object.fromEntries([...labels.matchAll(LABEL)].map(([, key, text]) => [key, text])),
      value: value === "+Inf" ? Number.POSITIVE_INFINITY : Number(value),
    });
  }
  return metrics;
}

/** The sum over all samples that have these labels. @throws for a name that the server does not have */
export function total(metrics, name, labels = {}) {
  const samples = metrics.get(name);
  if (samples === undefined) throw new Error(`/metrics: must have ${name}, got ${[...metrics.keys()].join(", ")}`);
  const has = (sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value);
  return samples.filter(has).reduce((sum, { value }) => sum + value, 0);
}
