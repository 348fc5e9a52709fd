// Draws what benchmarks recorded as one HTML page.
//     npm run bench:report -- [--out FILE] [RECORD ...]      default: bench/results/*/*.json
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { reportHtml } from "./lib/html.mjs";
import { readRecord } from "./lib/record.mjs";

const RESULTS = fileURLToPath(new URL("results/", import.meta.url));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { out: { type: "string", default: fileURLToPath(new URL("../build/bench/report.html", import.meta.url)) } },
});
const paths = positionals.length > 0 ? positionals : recorded();
if (paths.length === 0) {
  console.error(`no records in ${RESULTS}: make one with --record, e.g. npm run bench:peers -- --record FILE`);
  process.exit(2);
}
mkdirSync(dirname(values.out), { recursive: true });
writeFileSync(values.out, reportHtml(paths.map(readRecord)));
console.log(values.out);

function recorded() {
  if (!existsSync(RESULTS)) return [];
  const files = readdirSync(RESULTS, { recursive: true }).filter((name) => name.endsWith(".json"));
  return files.sort().map((name) => join(RESULTS, name));
}
