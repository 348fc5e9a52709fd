// The numbers of a comparison: medians of both sides, and the median of the rounds' ratios.

/** [row, label, our measure, theirs, what is better] */
const ROWS = [
  ["load", "load, ms", "loadMs", "loadMs", "lower"],
  ["firstToken", "time to first token, ms", "timeToFirstTokenMs", "timeToFirstTokenMs", "lower"],
  ["prefillStream", "prefill, tokens/s", "prefillTokensPerSecond", "prefillTokensPerSecond", "higher"],
  ["prefill", "  theirs raw", "prefillTokensPerSecond", "rawPrefillTokensPerSecond", "higher"],
  ["stream", "decode, tokens/s", "decodeTokensPerSecond", "decodeTokensPerSecond", "higher"],
  ["raw", "  theirs raw", "decodeTokensPerSecond", "rawDecodeTokensPerSecond", "higher"],
  ["memory", "peak memory, MB", "peakRssBytes", "peakRssBytes", "lower"],
];

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

/**
 * @param limits  of bench/probes/limits.cc, or undefined
 * @param fileBytes of the weights: what a decode step reads, for the head is the embedding
 */
export function summarise(name, scenario, rounds, limits, fileBytes) {
  const table = ROWS.map(([row, label, ours, theirs, better]) => {
    const unit = label.endsWith("MB") ? 1e6 : 1;
    const ratios = rounds.map((r) => r.gemma[ours] / r.llama[theirs]); // of each round, then the median
    return {
      row,
      label,
      better,
      gemma: median(rounds.map((r) => r.gemma[ours])) / unit,
      llama: median(rounds.map((r) => r.llama[theirs])) / unit,
      ratio: median(ratios),
      lowest: Math.min(...ratios),
      highest: Math.max(...ratios),
      target: scenario.targets[row],
    };
  });
  const decode = table.find(({ row }) => row === "raw");
  const bytesPerSecond = limits && 1e9 * Math.max(limits.readGBs, limits.matvecGBs);
  const limit = limits && {
    ...limits,
    decodeTokensPerSecond: bytesPerSecond / fileBytes,
    reached: (decode.gemma * fileBytes) / bytesPerSecond,
  };
  return { name, scenario, table, limit, rounds };
}

export function print({ name, scenario, table, limit, rounds }) {
  const { threads, prefill, decode, busy } = scenario;
  const neighbour = busy > 0 ? `, ${busy} core kept busy by another process` : "";
  console.log(
    `\n${name}: ${threads} threads, prefill ${prefill}, decode ${decode}${neighbour}, ${rounds.length} rounds`,
  );
  console.log(`${"".padEnd(26)}${"gemma.ts".padStart(14)} ${"llama.cpp".padStart(14)} ${"ratio".padStart(7)}`);
  for (const { label, gemma, llama, ratio, lowest, highest, better, target } of table) {
    const numbers = `${gemma.toFixed(1).padStart(14)} ${llama.toFixed(1).padStart(14)} ${ratio.toFixed(2).padStart(7)} x`;
    const spread = `(${lowest.toFixed(2)} to ${highest.toFixed(2)}, ${better} is better)`;
    const verdict = target === undefined ? "" : `  ${ratio >= target ? "reaches" : "BELOW"} ${target} x`;
    console.log(`${label.padEnd(26)}${numbers}  ${spread}${verdict}`);
  }
  if (limit === undefined) return;
  const { unit, readGBs, matvecGBs, dotGops, decodeTokensPerSecond, reached } = limit;
  console.log(
    `limits here: reads ${readGBs} GB/s, matrix-vector ${matvecGBs} GB/s, 8-bit dot products ${dotGops} GOPS (${unit})`,
  );
  console.log(
    `decode at ${(100 * reached).toFixed(0)} % of the ${decodeTokensPerSecond.toFixed(1)} tokens/s of the memory's limit`,
  );
}
