// A peer's npm packages, installed beside the comparison that needs them.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";

/**
 * Without the packages' install scripts: their binaries are in the packages.
 * @param folder   of the comparison; packages go into its node_modules
 * @param name     the package that is there when all is
 * @param packages with versions
 */
export function installBeside(folder, name, packages, moreFlags = []) {
  if (existsSync(`${folder}node_modules/${name}`)) return;
  console.error(`installing ${packages[0]} for this comparison`);
  const flags = ["--no-save", "--ignore-scripts", ...moreFlags, "--no-package-lock", "--prefix", folder];
  execFileSync("npm", ["install", ...flags, ...packages], { stdio: ["ignore", "ignore", "inherit"] });
}
