// Supply chain: nothing runs when the package or one of its runtime dependencies is installed, and every package
// that npm fetches is pinned by a hash.
import { existsSync, readFileSync } from "node:fs";
import { isMain } from "./lib/files.mjs";

const LIFECYCLE = ["preinstall", "install", "postinstall", "prepare", "prepublish"];

/** Every broken rule under `root`, a line each. */
export function supplyErrors(root = ".") {
  const read = (path) => JSON.parse(readFileSync(`${root}/${path}`, "utf8"));
  const errors = lifecycleScripts("package.json", read("package.json"), LIFECYCLE);
  for (const [path, entry] of Object.entries(read("package-lock.json").packages)) {
    if (path === "" || entry.link) continue;
    if (!/^sha(256|384|512)-/.test(entry.integrity ?? ""))
      errors.push(`package-lock.json: ${path} has no integrity hash`);
    if (entry.resolved !== undefined) errors.push(`package-lock.json: ${path} names the registry it came from`);
    if (entry.dev || entry.devOptional) continue;
    if (entry.hasInstallScript) errors.push(`package-lock.json: ${path} runs a script when installed`);
    // npm runs only these three for a dependency; a binding.gyp would be an implied install script.
    const folder = `${path}/package.json`;
    if (!existsSync(`${root}/${folder}`)) continue;
    errors.push(...lifecycleScripts(folder, read(folder), LIFECYCLE.slice(0, 3)));
    if (existsSync(`${root}/${path}/binding.gyp`)) errors.push(`${path}: binding.gyp would be compiled when installed`);
  }
  return errors;
}

function lifecycleScripts(path, { scripts = {} }, names) {
  return names.filter((name) => scripts[name] !== undefined).map((name) => `${path}: has the script "${name}"`);
}

if (isMain(import.meta.url)) {
  const errors = supplyErrors();
  for (const error of errors) process.stderr.write(`${error}\n`);
  process.exitCode = errors.length === 0 ? 0 : 1;
}
