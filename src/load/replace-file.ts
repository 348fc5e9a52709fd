import { renameSync, writeFileSync } from "node:fs";

/** A text as it is, else JSON. In one step, so that a killed process leaves the old file or the new one. */
export function replaceFile(path: string, value: unknown): void {
  writeFileSync(`${path}.part`, typeof value === "string" ? value : `${JSON.stringify(value, null, 2)}\n`);
  renameSync(`${path}.part`, path);
}
