// Speed of the native operations at the shapes of Gemma 3 270M; of the matrix product bench:matmul tells more.
//   npm run bench:ops -- [--isa avx512bf16|avx512|avx2vnni|avx2|neoni8mm|neon|scalar] [--threads N]
//       [--activations int8|f32] [--kv f32|bf16|int8] [--op NAME] [--only TEXT] [--cpu-time] [--rounds N] [--record FILE] [--json]
// GB/s of what is read and written: beside the memory's limit where it comes from memory, without one where it stays in
// the cache. GFLOPS, two operations a multiply-add, beside the limit of the units that can do them. The best of several
// runs counts: the machine may be shared. --cpu-time counts the CPU time of one thread.
import { parseArgs } from "node:util";
import { attentionCases } from "./lib/attention-cases.mjs";
import { OPTIONS, runOpBench } from "./lib/op-bench.mjs";
import { opCases } from "./lib/op-cases.mjs";
import { productCases } from "./lib/product-cases.mjs";

const { values } = parseArgs({
  options: { ...OPTIONS, op: { type: "string", default: "" }, kv: { type: "string", default: "bf16" } },
});
const cases = [...opCases(), ...productCases(values.activations), ...attentionCases(values.kv, values.isa)].filter(
  ({ op, label }) => (values.op === "" || values.op === op) && `${op} ${label}`.includes(values.only),
);
if (cases.length === 0) throw new Error(`no case has --op ${values.op} --only ${values.only}`);
const describe = ({ isa, threads, activations }) => ({
  name: `ops-${threads}${values.kv === "bf16" ? "" : `-${values.kv}`}`,
  text: `native ops, ${isa}, ${threads === 1 ? "1 thread" : `${threads} threads`}, ${activations} activations, KV ${values.kv}`,
});
await runOpBench("ops", values, describe, cases);
