// The playground as a visitor has it: from the click that loads the default model to the first word of an answer, on a first
// and on a repeat visit, and how long the page keeps input waiting while it writes.
//     npm run bench:visit -- [--rounds 3] [--model gemma-3-270m-it-ts] [--json] [--record FILE]
// The site and its weights come from a server on this machine, in a fresh profile of headless Chromium a round. Weights are
// checked against their hash and stored, as everywhere.
import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { createServer } from "../../dist/server/index.js";
import { listen } from "../../dist/server/port/listen.js";
import { removeFolder } from "../../scripts/lib/remove-folder.mjs";
import { circumstances, limitsProbe } from "../lib/machine.mjs";
import { makeRow } from "../lib/record.mjs";
import { publish } from "../lib/table.mjs";

const cli = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const BARS = { firstMs: 8000, repeatMs: 2000, inputMs: 50 };
const SHARE = 0.99; // of inputs that must be answered in time: the machine has other work, too

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    model: { type: "string", default: "gemma-3-270m-it-ts" },
    json: { type: "boolean", default: false },
    record: { type: "string" },
  },
});
const rounds = Number(values.rounds);
if (!(rounds >= 1)) {
  console.error("--rounds must be >= 1");
  process.exit(2);
}

/** Loads the model and asks it. @returns milliseconds from the click to the first word, and what input waited */
async function visit(browser, url, isRepeat) {
  const page = await browser.newPage();
  await page.goto(`${url}/en/playground/`);
  await page.locator(`input[value="${values.model}"]`).check();
  await page.locator("#load").waitFor();
  const isStored = (await page.locator("#load").textContent()) === "Load";
  if (isStored !== isRepeat) throw new Error(`the model must ${isRepeat ? "" : "not "}be stored at this visit`);
  const begin = performance.now();
  await page.click("#load");
  await page.locator(".loaded").waitFor({ timeout: 120_000 });
  await page.fill("#message", "Write a long story about the sea, in many sentences.");
  await page.click("#send");
  await page.waitForFunction(() => (document.querySelector(".turn.assistant .text")?.textContent ?? "") !== "");
  const firstWordMs = performance.now() - begin;
  const waitsMs = await page.evaluate(inputWaits);
  if (waitsMs.length < 50) throw new Error(`input must be watched 50 times at least, got ${waitsMs.length}`);
  await page.close();
  return { firstWordMs, inputMs: waitsMs[Math.floor(waitsMs.length * SHARE)] };
}

/** In the page, while it writes: how late events are that are due every 5 ms, for two seconds at most, the shortest first. */
function inputWaits() {
  return new Promise((done) => {
    const waits = [];
    let due = performance.now();
    const end = due + 2000;
    const tick = () => {
      const now = performance.now();
      waits.push(now - due);
      if (now > end || document.querySelector("#stop").hidden) return done(waits.sort((a, b) => a - b));
      due = now + 5;
      setTimeout(tick, 5);
    };
    tick();
  });
}

async function round(url) {
  const profile = mkdtempSync(join(tmpdir(), "gemma-visit-"));
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
  });
  try {
    return { first: await visit(browser, url, false), repeat: await visit(browser, url, true) };
  } finally {
    await browser.close();
    await removeFolder(profile);
  }
}

execFileSync("node", [cli, "pull", "--json", values.model]); // the server gives what this machine has
const server = createServer(() => new Promise(() => {}), { docs: false, weights: true });
const site = await listen(server.fetch, { host: "127.0.0.1", port: 0 });
const probe = limitsProbe(1);
const results = [];
for (let i = 0; i < rounds; i++) {
  probe.measure();
  results.push(await round(site.url));
  console.error(`round ${i + 1} of ${rounds} done`);
}
await site.close(0);

const row = (id, label, measure, atMost) =>
  makeRow({ id, label, unit: "ms", better: "lower", ours: results.map(measure), targets: [{ of: "ours", atMost }] });
publish(values, "visit", {
  name: "visit",
  title: `${values.model} in the playground, headless Chromium`,
  ours: "gemma.ts",
  peer: null,
  peerVersion: null,
  ...circumstances(),
  load: probe.load(),
  rounds,
  settings: { model: values.model },
  limits: null,
  rows: [
    row("first", "first visit, click to first word", ({ first }) => first.firstWordMs, BARS.firstMs),
    row("repeat", "repeat visit, click to first word", ({ repeat }) => repeat.firstWordMs, BARS.repeatMs),
    row("input", "input waits while it writes, 99 %", ({ repeat }) => repeat.inputMs, BARS.inputMs),
  ],
});
process.exit(0);
