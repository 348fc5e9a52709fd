// Times operations through a backend's interface, as the engine calls them, and holds them to the reference first.
import { checked } from "../../dist/backend/checked.js";
import { OPS } from "../../dist/backend/ops/index.js";
import { scoped } from "../../dist/backend/testing/conformance.js";
import { nativeBackend } from "../../dist/backends/native/index.js";
import { referenceBackend } from "../../dist/backends/reference/index.js";
import { circumstances, limitsProbe, memoryLimit } from "./machine.mjs";
import { makeRow } from "./record.mjs";
import { publish } from "./table.mjs";

export const OPTIONS = {
  isa: { type: "string" },
  threads: { type: "string" },
  activations: { type: "string", default: "int8" },
  rounds: { type: "string", default: "1" },
  only: { type: "string", default: "" },
  "cpu-time": { type: "boolean", default: false },
  record: { type: "string" },
  json: { type: "boolean", default: false },
};
const SAMPLE_MS = 1; // one is at least this long: a call may take less than the clock's step
const MEASURED_MS = 250;

/**
 * Measures cases and prints, records or returns them as one scenario.
 *
 * A case is { op, label, rows, checkedRows, make, measures, tolerance }. `make(be, rows, clock, isReference)` makes
 * inputs on a backend and returns at least { run, outputs: [Tensor] }, and `check` where `run` alone does not fill the
 * outputs; for the comparison with the reference, which is slow, `rows` is checkedRows; `tolerance`, of the largest
 * value, takes the place of the op's own. `measures(made, bestSeconds)` returns
 * [{ id, label, unit, amount, seconds, limit }]: the result is amount / 10^9 a second, `limit` a function of the machine's
 * limits, or null.
 */
export async function runOpBench(bench, values, describe, cases) {
  const { isa, activations } = values;
  const threads = values["cpu-time"] ? 1 : values.threads && Number(values.threads);
  const native = checked(await nativeBackend.create({ activations, ...(isa && { isa }), ...(threads && { threads }) }));
  const reference = checked(await referenceBackend.create({ activations }));
  const info = native.info();
  const probe = limitsProbe(info.threads, values["cpu-time"] ? "cpu" : "wall");
  const clock = values["cpu-time"] ? cpuMs : () => performance.now();
  const rounds = Number(values.rounds);
  const found = new Map(); // id: { measure, values of each round }
  for (let round = 0; round < rounds; round++) {
    probe.measure();
    for (const c of cases) {
      if (round === 0) await verify(c, native, reference);
      const { scope, end } = scoped(native);
      const made = c.make(scope, c.rows, clock);
      for (const measure of c.measures(made, (run) => bestSeconds(run, clock))) {
        const entry = found.get(measure.id) ?? { ...measure, values: [] };
        entry.values.push(measure.amount / measure.seconds / 1e9);
        found.set(measure.id, entry);
      }
      end();
    }
    if (rounds > 1) console.error(`round ${round + 1} of ${rounds} done`);
  }
  probe.measure();
  native.dispose();
  reference.dispose();
  const limits = probe.limits();
  const rows = [...found.values()].map(({ id, label, unit, values: ours, limit }) =>
    makeRow({ id, label, unit, ours, limit: limits && limit ? limit(limits) : null }),
  );
  const { name, text } = describe(info);
  const title = `${name}: ${text}`;
  const settings = { isa: info.isa, threads: info.threads, activations };
  const scenario = {
    name,
    title,
    ours: "gemma.ts",
    peer: null,
    ...circumstances(),
    load: probe.load(),
    rounds,
    settings,
    limits,
    rows,
  };
  publish(values, bench, scenario);
}

/** Limits as functions of the machine's limits; none where the data stays in the cache. */
export const memory = (limits) => memoryLimit(limits);
export const dots = (limits) => limits.dotGops.highest;
export const multiplyAdds = (limits) => limits.fmaGflops.highest;
export const bf16Dots = (limits) => limits.bf16Gflops.highest || limits.fmaGflops.highest;

/** Both backends on the same inputs; what is measured later must be the right thing. */
async function verify(c, native, reference) {
  const outputs = [];
  for (const be of [reference, native]) {
    const { scope, end } = scoped(be);
    const made = c.make(scope, c.checkedRows, cpuMs, be === reference);
    (made.check ?? made.run)();
    outputs.push(await Promise.all(made.outputs.map((tensor) => be.read(tensor))));
    end();
  }
  const { tolerance } = OPS.find(({ name }) => name === c.op);
  const most = c.tolerance ?? Math.min(0.05, 100 * Math.max(tolerance.f32, tolerance.int8 ?? 0)); // of the largest value
  for (const [i, expected] of outputs[0].entries()) {
    const largest = expected.reduce((greatest, value) => Math.max(greatest, Math.abs(value)), 1e-9);
    const bad = expected.findIndex((value, j) => !(Math.abs(outputs[1][i][j] - value) <= most * largest));
    if (bad >= 0)
      throw new Error(`${c.op} ${c.label}: got ${outputs[1][i][bad]}, the reference gives ${expected[bad]}`);
  }
}

function cpuMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Seconds of one call in the fastest of several samples: the machine may be shared. */
function bestSeconds(run, clock) {
  let calls = 1;
  const sample = () => {
    const start = clock();
    for (let i = 0; i < calls; i++) run();
    return (clock() - start) / calls;
  };
  while (Math.min(sample(), sample(), sample()) * calls < SAMPLE_MS) calls *= 2;
  let best = Infinity;
  const end = performance.now() + MEASURED_MS;
  for (let i = 0; i < 3 || performance.now() < end; i++) best = Math.min(best, sample());
  return best / 1000;
}
