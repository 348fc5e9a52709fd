import { memoryLimit } from "../lib/machine.mjs";
import { makeRow } from "../lib/record.mjs";

const MEMORY_FACTOR = 1.15; // of the file,
const MEMORY_REST = 100e6; //  and what everything else may take, in bytes

/** [id, label, unit, which of our runs, its measure, theirs, what is better] */
const ROWS = [
  ["load", "load", "ms", "stream", "loadMs", "loadMs", "lower"],
  ["memory", "peak memory", "bytes", "stream", "peakRssBytes", "peakRssBytes", "lower"],
  ["firstToken", "time to first token", "ms", "stream", "firstTokenMs", "firstTokenMs", "lower"],
  ["prefillStream", "prefill", "tokens/s", "stream", "prefillTokensPerSecond", "prefillTokensPerSecond"],
  ["prefill", "prefill, raw", "tokens/s", "raw", "prefillTokensPerSecond", "rawPrefillTokensPerSecond"],
  ["stream", "decode", "tokens/s", "stream", "decodeTokensPerSecond", "decodeTokensPerSecond"],
  ["raw", "decode, raw", "tokens/s", "raw", "decodeTokensPerSecond", "rawDecodeTokensPerSecond"],
];

/**
 * The rows of a scenario.
 * @param rounds    [{ stream, raw, variants: { name: run }, llama }], the outputs of gemma.mjs and llama.mjs
 * @param limits    of the machine, or null
 * @param fileBytes of the weights
 */
export function peerRows(scenario, rounds, limits, fileBytes) {
  const { stepBytes, tokenOperations } = rounds[0].raw;
  const limitOf = {
    prefill: limits && (1e9 * limits.dotGops.highest) / tokenOperations, // the products of the layers alone
    raw: limits && (1e9 * memoryLimit(limits)) / stepBytes,
  };
  const targets = {
    memory: [{ of: "ours", atMost: (MEMORY_FACTOR * fileBytes + MEMORY_REST) / 1e6 }],
    ...scenario.targets,
  };
  const rows = ROWS.map(([id, label, unit, run, ours, theirs, better = "higher"]) => {
    const scale = unit === "bytes" ? 1e-6 : 1;
    return makeRow({
      id,
      label,
      unit: unit === "bytes" ? "MB" : unit,
      better,
      ours: rounds.map((round) => scale * round[run][ours]),
      theirs: rounds.map((round) => scale * round.llama[theirs]),
      limit: limitOf[id] ?? null,
      targets: targets[id] ?? [],
    });
  });
  for (const [name, { label }] of Object.entries(scenario.variants)) {
    const decode = (run) => rounds.map((round) => run(round).decodeTokensPerSecond);
    const ours = decode((round) => round.variants[name]);
    const shared = { label: `decode, ${label}`, unit: "tokens/s", ours };
    const gain = { id: `gain ${name}`, theirs: decode((round) => round.stream), peer: "our plain run" };
    rows.push(makeRow({ ...shared, id: `stream ${name}`, theirs: decode((round) => round.llama) }));
    rows.push(makeRow({ ...shared, ...gain, targets: targets[gain.id] ?? [] }));
  }
  return rows;
}
