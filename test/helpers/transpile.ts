import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Folders of src as plain JavaScript, for child processes: Node 20 runs no TypeScript. Types are not checked.
 * @returns the folder that stands for src; the caller removes it
 */
export function transpile(folders: readonly string[]): string {
  mkdirSync(join(ROOT, "build"), { recursive: true });
  const out = mkdtempSync(join(ROOT, "build", "transpiled-")); // inside the project: node_modules is found from here
  for (const folder of folders) {
    for (const name of readdirSync(join(ROOT, "src", folder), { recursive: true, encoding: "utf8" })) {
      if (!name.endsWith(".ts") || name.endsWith(".test.ts")) continue;
      const file = join(out, folder, name.replace(/\.ts$/, ".js"));
      mkdirSync(dirname(file), { recursive: true });
      const options = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, verbatimModuleSyntax: true };
      const source = readFileSync(join(ROOT, "src", folder, name), "utf8");
      writeFileSync(file, ts.transpileModule(source, { compilerOptions: options }).outputText);
    }
  }
  return out;
}
