import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Browser, chromium } from "playwright-core";
import { findChromium } from "../helpers/chromium.js";

/** Chromium and the build, or why the tests of pages are skipped. */
export const command = findChromium();
export const dist = fileURLToPath(new URL("../../dist/", import.meta.url));
export const isBuilt = existsSync(`${dist}web/bundle/worker-web.js`);
if (!isBuilt) console.warn("skipped: tests of pages, because dist/ is missing; run `npm run setup`");
export const canRun = command !== undefined && isBuilt;

export function launch(): Promise<Browser> {
  // --no-sandbox: containers run as root, and Chromium's sandbox refuses that.
  return chromium.launch({ executablePath: resolved(command!), args: ["--no-sandbox"] });
}

/** Playwright takes a path, not a name that PATH is searched for. */
function resolved(name: string): string {
  if (name.includes("/")) return name;
  const folders = (process.env.PATH ?? "").split(":");
  return folders.map((folder) => `${folder}/${name}`).find(existsSync) ?? name;
}
