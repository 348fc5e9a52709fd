import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { isLibraryBuilt } from "../helpers/built-library.js";
import { hasStoryteller } from "../helpers/tiny-models.js";
import { realModelPath } from "./model-path.js";

// The programs of examples/, as they stand, on the build and real weights.

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** Parts of an application that needs Electron: tsc alone looks at them. */
const PARTS = ["electron.ts"];
const examples = readdirSync(`${ROOT}/examples`).filter((name) => name.endsWith(".ts") && !PARTS.includes(name));
const model = realModelPath();
// First what the model says when it is sampled, which may be nothing; then what does not depend on chance.
const output: Readonly<Record<string, RegExp>> = {
  "ai-sdk.ts": /^.*\n [^\n]* \d{1,3} \d+\n0\.\d+ 0\.\d+\n$/s,
  "langchain.ts": /^.*\n [^\n]* \d{1,3}\n640\n$/s,
  "prompt-api.ts":
    /^downloadable\nloaded 0\n(loaded 0\.\d+\n)*loaded 1\n.*\n \d{4}-\d\d-\d\d \d+ of \d+ tokens used\n$/s,
  "storyteller.ts": /^.+\n\n.+\n$/s,
};

test("each example has its output here", () => {
  expect(examples).toEqual(Object.keys(output).sort());
});

describe.skipIf(!isLibraryBuilt || model === undefined || !existsSync(model))("runs", () => {
  test.for(examples)("%s", { timeout: 120_000 }, (name, { skip }) => {
    if (name === "storyteller.ts" && !hasStoryteller) skip("the model that ships is not here");
    const source = readFileSync(`${ROOT}/examples/${name}`, "utf8").replace('"gemma-3-270m"', JSON.stringify(model));
    const options = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, verbatimModuleSyntax: true };
    const { outputText } = ts.transpileModule(source, { compilerOptions: options });
    const flags = ["--input-type=module", "-e", outputText];
    const { status, stdout, stderr } = spawnSync(process.execPath, flags, { cwd: ROOT, encoding: "utf8" });
    expect([status, stdout, stderr]).toEqual([0, expect.stringMatching(output[name]!), ""]);
  });
});
