// What the servers are compared at. `--scenario NAME` chooses; docs/benchmarks.md describes them.

/** Requests of each client that count, by streams: about as long for few as for many. */
const REQUESTS = { 1: 8, 4: 4, 16: 3, 64: 2 };
const faster = [{ of: "ratio", atLeast: 1 }];
const BARS = {
  1: { tokens: faster },
  16: { tokens: [{ of: "ratio", atLeast: 4 }], first95: [{ of: "ratio", atMost: 0.4 }] },
};

const entry = (streams, shared) => [
  `${shared ? "shared-" : ""}${streams}`,
  { streams, shared, requests: REQUESTS[streams], targets: BARS[streams] ?? {} },
];
const STREAMS = [1, 4, 16, 64];

export const SCENARIOS = Object.fromEntries([
  ...STREAMS.map((streams) => entry(streams, false)),
  ...STREAMS.map((streams) => entry(streams, true)),
]);
export const QUICK = ["1", "16", "shared-16"];

export const TOKENS = 128;
/** Of one request: a shared beginning, its own text, the answer, and room. */
export const contextOf = ({ shared }) => (shared ? 1536 : 512);

/** How the next token is chosen, by row. */
export const SAMPLING = {
  greedy: { label: "greedy", body: { temperature: 0 } },
  sampled: { label: "sampled", body: { temperature: 1, top_k: 64, top_p: 0.95 } },
};

/** Clients that share a beginning, all at once, on a server that has computed nothing yet. */
export const PREFIX = { name: "prefix", streams: 8, shared: true };
