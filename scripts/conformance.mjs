// Runs the op conformance cases of the native backend against the reference, in this process.
//   node scripts/conformance.mjs [ISA ...]     default: every instruction set that this CPU has
// Needs dist/ and the addon (GEMMA_NATIVE_ADDON). Made for an emulated CPU, where seconds are minutes: the largest
// shapes are left out, and said so. Exit code 1 when a case fails or an instruction set is missing.
import { checked } from "../dist/backend/checked.js";
import { conformanceCases, runCase } from "../dist/backend/testing/conformance.js";
import { INVARIANCE_CASES, rowVariance } from "../dist/backend/testing/row-invariance.js";
import { nativeBackend, nativeIsas } from "../dist/backends/native/index.js";
import { referenceBackend } from "../dist/backends/reference/index.js";

const SEED = 20_251;
const MOST_WORK = 1.5e7; // product of a case's sizes

const wanted = process.argv.slice(2);
const isas = nativeIsas();
console.log(`${process.arch}, Node ${process.version}, instruction sets ${isas.join(", ")}, seed ${SEED}`);
const probe = await nativeBackend.create({ threads: 1 });
const cases = conformanceCases(probe.lacks);
probe.dispose();
const chosen = cases.filter((c) => work(c.data) <= MOST_WORK);
console.log(
  `${chosen.length} of ${cases.length} cases; left out: those whose sizes multiply to more than ${MOST_WORK}`,
);

let failures = 0;
for (const isa of wanted.length > 0 ? wanted : isas) {
  if (!isas.includes(isa)) fail(`${isa}: this CPU does not have it`);
  else for (const activations of ["f32", "int8"]) await runAll(isa, activations);
}
console.log(failures === 0 ? "ok" : `FAILED: ${failures}`);
process.exitCode = failures === 0 ? 0 : 1;

async function runAll(isa, activations) {
  const start = performance.now();
  const oracle = await referenceBackend.create({ activations });
  const one = checked(await nativeBackend.create({ isa, activations, threads: 1 }));
  const two = checked(await nativeBackend.create({ isa, activations, threads: 2 }));
  // Only ops with a tolerance of their own for 8-bit activations depend on them.
  const relevant = chosen.filter((c) => activations === "f32" || c.op.tolerance.int8 !== undefined);
  for (const c of relevant) {
    const { error, tolerance, where } = await runCase(c, two, oracle, SEED);
    if (!(error <= tolerance)) fail(`${isa}, ${activations}: error ${error} beyond ${tolerance}: ${where}`);
  }
  const invariant = INVARIANCE_CASES.filter((c) => activations === "f32" || c.name.startsWith("matmul"));
  for (const c of invariant) {
    const difference = await rowVariance(c, [one, two], SEED);
    if (difference !== null) fail(`${isa}, ${activations}: ${difference}`);
  }
  for (const backend of [oracle, one, two]) backend.dispose();
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  console.log(`${isa}, ${activations}: ${relevant.length} cases, ${invariant.length} invariance cases, ${seconds} s`);
}

/** The product of the sizes in a case, which its capital letters are. */
function work(data) {
  return Object.entries(data).reduce((product, [key, size]) => (/^[A-Z]$/.test(key) ? product * size : product), 1);
}

function fail(text) {
  failures += 1;
  console.log(`FAILED ${text}`);
}
