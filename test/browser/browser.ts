import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { findChromium } from "../helpers/chromium.js";

/** Chromium and the build, or why the tests of pages are skipped. */
export const command = findChromium();
export const dist = fileURLToPath(new URL("../../dist/", import.meta.url));
export const isBuilt = existsSync(`${dist}web/bundle/worker-web.js`);
if (!isBuilt) console.warn("SKIPPED: tests of pages, because dist/ is missing; run `npm run setup`");
export const canRun = command !== undefined && isBuilt;
