// npm run site               builds the site and serves it on this machine, with the weights of the local cache for its playground
// npm run site -- --port N   on another port than 8090; 0: any that is free
// npm run site:build         builds dist-site alone

import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { hashOf, isMain, readIfThere, walk } from "./lib/files.mjs";
import { setupOrExit } from "./setup.mjs";

const KEY = "dist-site/.key";
const CONFIG = ["package-lock.json", "dist/.key", "scripts/site.mjs"];

/** Is dist-site what apps/site and the library give? */
export function isSiteBuilt() {
  return existsSync("dist-site/index.html") && readIfThere(KEY) === siteKey();
}

function siteKey() {
  return hashOf([process.env.SITE_URL ?? ""], [...CONFIG, ...walk("apps/site"), ...walk("models")]);
}

/** Builds dist-site where anything that goes into it has changed. */
export async function buildSite() {
  if (isSiteBuilt()) return;
  const { build } = await import("vite"); // not at the top: set-up may have to install it first
  await build({ configFile: "apps/site/vite.config.ts", logLevel: "warn" });
  await addModels();
  writeFileSync(KEY, siteKey());
}

/** What ships with the package, for hosts of plain files. */
async function addModels() {
  const { shippedFiles } = await import("../dist/load/offered.js");
  const models = [];
  for (const { name, label, files } of await shippedFiles()) {
    mkdirSync(`dist-site/models/${name}`, { recursive: true });
    for (const file of files) copyFileSync(file.path, `dist-site/models/${name}/${file.name}`);
    models.push({ name, label, files: files.map(({ path: _, ...file }) => file) });
  }
  writeFileSync("dist-site/models/index.json", `${JSON.stringify({ models })}\n`);
}

/** Serves the site, without a model behind the API: requests to that are told that none is ready. */
async function serveSite(port) {
  const { createServer } = await import("../dist/server/index.js");
  const { listen } = await import("../dist/server/port/listen.js");
  const server = createServer(() => new Promise(() => {}), { docs: false, weights: true });
  const { url, close } = await listen(server.fetch, { host: "127.0.0.1", port });
  process.stdout.write(`the site is at ${url}\n`);
  process.once("SIGINT", () => close(0).then(() => process.exit(0)));
}

if (isMain(import.meta.url)) {
  const { values } = parseArgs({ options: { port: { type: "string" }, "build-only": { type: "boolean" } } });
  await setupOrExit();
  await buildSite();
  if (!values["build-only"]) await serveSite(Number(values.port ?? 8090));
}
