// Writes what was trained as the file that ships: GGUF, its matrices in Q8_0.
//   node recipes/gemma-tiny-ts/export.mjs --run DIR --out FILE.gguf
// DIR of --run is what `gemma tune` wrote. Needs a build (npm run build).
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { writeModelGguf } from "../../dist/load/export-gguf.js";
import { openCheckpoint } from "../../dist/load/open.js";

const { values } = parseArgs({
  options: { run: { type: "string" }, out: { type: "string" }, dtype: { type: "string", default: "Q8_0" } },
});
if (!values.run || !values.out) {
  process.stderr.write("usage: node recipes/gemma-tiny-ts/export.mjs --run DIR --out FILE.gguf [--dtype Q8_0]\n");
  process.exit(2);
}
const checkpoint = openCheckpoint(join(values.run, "model"));
const options = { dtype: values.dtype, name: basename(values.out, ".gguf"), replace: true };
const sizeBytes = await writeModelGguf(values.out, checkpoint, () => undefined, options);
checkpoint.close();
console.log(`${values.out}: ${(sizeBytes / 1e6).toFixed(2)} MB`);
