// Files that gemma.ts has merged, in llama.cpp: it loads them and goes on with the same tokens as gemma.ts does with base and
// adapter. The adapter is random and large enough to change the text.
//     npm run bench:tune-merge -- [--model FILE] [--dtype F16,BF16,Q8_0] [--threads 2]
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Gemma, mergeAdapter } from "../../dist/index.js";
import { openCheckpoint } from "../../dist/load/open.js";
import { installPeer, PEER } from "../peers/install.mjs";
import { hfFolder, WORK, writeAdapter } from "./prepare.mjs";

const peer = `${fileURLToPath(new URL("../peers/", import.meta.url))}llama.mjs`;
const cli = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const PROMPT = [2, 818, 5279, 529, 7001, 563]; // <bos>The capital of France is
const TOKENS = 8; // that llama.mjs checks
const RANK = 8;
const B_SIZE = 0.02;

const { values } = parseArgs({
  options: {
    model: { type: "string", default: "gemma-3-270m" },
    dtype: { type: "string", default: "F16,BF16,Q8_0" },
    threads: { type: "string", default: "2" },
  },
});
const threads = Number(values.threads);

const path = JSON.parse(execFileSync("node", [cli, "pull", "--json", values.model], { encoding: "utf8" })).path;
const checkpoint = openCheckpoint(path);
const adapter = await writeAdapter(checkpoint.config, RANK, B_SIZE);
checkpoint.close();
installPeer();

const [plain, tuned] = [await continuation(false), await continuation(true)];
if (String(plain) === String(tuned)) throw new Error("the adapter must change the continuation, got the same");
const folder = await hfFolder(path, `${values.model.replace(/\W+/g, "-")}-hf`, "BF16");
const cases = values.dtype.split(",").map((dtype) => ({ from: "the GGUF file", base: path, dtype }));
cases.push({ from: "a safetensors folder", base: folder, dtype: "BF16" });
let failed = false;
for (const { from, base, dtype } of cases) {
  const out = `${WORK}merged-${dtype}.gguf`;
  const { mergedMatrices, sizeBytes } = await mergeAdapter(base, adapter, out, { dtype, replace: true });
  const setup = { model: out, threads, prefill: 8, decode: 1, repeat: 1, context: 256, check: PROMPT };
  const said = JSON.parse(execFileSync("node", [peer, JSON.stringify(setup)], { encoding: "utf8" })).check;
  rmSync(out);
  const isSame = String(said) === String(tuned);
  failed ||= !isSame;
  const size = `${mergedMatrices} matrices, ${(sizeBytes / 1e6).toFixed(0)} MB`;
  const verdict = isSame ? "the same tokens" : `other tokens: ${said} there, ${tuned} here`;
  console.log(`from ${from}, ${dtype}: ${size}, llama.cpp ${PEER}: ${verdict}`);
}
process.exitCode = failed ? 1 : 0;

/** What base and adapter, unmerged, or the base alone say. */
async function continuation(adapted) {
  const settings = { activations: "f32", contextLength: 256, threads, adapters: { tuned: adapter } };
  const gemma = await Gemma.load(path, settings);
  const options = { maxTokens: TOKENS, temperature: 0, ...(adapted ? { adapter: "tuned" } : {}) };
  const { ids } = await gemma.generate({ ids: PROMPT }, options).result;
  await gemma.dispose();
  return ids;
}
