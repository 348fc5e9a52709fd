// A headless Chromium that nobody looks into: its page itself tells the site what it measures.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { endGroup } from "../../scripts/lib/end-group.mjs";

const FLAGS = ["--headless", "--no-sandbox", "--disable-dev-shm-usage", "--no-first-run"];
const LONGEST_MS = 300_000;
const CLOSING_MS = 5000;

/**
 * Visits by one tab, one after another.
 * @returns what the page tells of each, and `peakBytes`: the most that a process of the page had from the visit's begin
 */
export async function visitPage(visits, profile, site) {
  const url = `${site.url}?visits=${encodeURIComponent(JSON.stringify(visits))}`;
  const gpu = visits.some(({ backend }) => backend === "webgpu") ? "--enable-unsafe-webgpu" : "--disable-gpu";
  const flags = [...FLAGS, gpu, `--user-data-dir=${profile}`];
  const browser = spawn(process.env.CHROMIUM ?? "/usr/bin/chromium", [...flags, url], {
    stdio: "ignore",
    detached: true, // with its helper processes in a group that can be ended
  });
  const trouble = failure(browser);
  const hear = async () => {
    const told = await Promise.race([site.told(), trouble.promise]);
    if (told.error !== undefined) throw new Error(told.error);
    return told;
  };
  try {
    const results = [];
    for (const _ of visits) {
      await hear(); // it begins
      for (const { pid } of pageProcesses(profile)) forgetPeak(pid);
      const figures = await hear();
      results.push({ ...figures, peakBytes: Math.max(...pageProcesses(profile).map(({ peakBytes }) => peakBytes)) });
    }
    return results;
  } finally {
    await close(browser);
    trouble.forget();
  }
}

/** `promise` comes to an error if the browser ends, takes too long, or this process is to end. */
function failure(browser) {
  const events = new AbortController();
  const options = { signal: events.signal };
  const promise = Promise.race([
    once(browser, "exit", options).then(() => ({ error: "Chromium must stay open, got its end ($CHROMIUM?)" })),
    ...["SIGINT", "SIGTERM"].map((name) => once(process, name, options).then(() => ({ error: `got ${name}` }))),
    sleep(LONGEST_MS, { error: `visits must take ${LONGEST_MS / 1000} s at most, got more` }, options),
  ]).catch((error) => ({ error: error.message }));
  return { promise, forget: () => events.abort() };
}

async function close(browser) {
  if (browser.pid === undefined) return; // it did not start
  const hasEnded = browser.exitCode !== null || browser.signalCode !== null;
  const ended = hasEnded || new Promise((resolve) => browser.once("exit", resolve));
  endGroup(browser.pid, "SIGTERM");
  const late = setTimeout(() => endGroup(browser.pid, "SIGKILL"), CLOSING_MS);
  await ended;
  clearTimeout(late);
  endGroup(browser.pid, "SIGKILL"); // helper processes may outlive it
}

/** The processes of the browser with this profile that run pages: their ids, and most resident bytes. */
function pageProcesses(profile) {
  const processes = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(describe);
  const main = processes.find(({ command }) => command.includes(profile) && !command.includes("--type="));
  const isOfBrowser = (pid) => {
    for (let at = pid; at > 1; at = processes.find((each) => each.pid === at)?.parent ?? 0)
      if (at === main?.pid) return true;
    return false;
  };
  const pages = processes.filter(({ pid, command }) => command.includes("--type=renderer") && isOfBrowser(pid));
  if (pages.length === 0) throw new Error("the page must have a process, got none");
  return pages;
}

/** A process's peak is what it has now. */
function forgetPeak(pid) {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, "5");
  } catch (error) {
    if (!["ENOENT", "ESRCH"].includes(error.code)) throw error; // it has ended
  }
}

function describe(name) {
  const read = (file) => {
    try {
      return readFileSync(`/proc/${name}/${file}`, "latin1");
    } catch {
      return ""; // it has ended
    }
  };
  const status = read("status");
  const number = (key) => Number(new RegExp(`${key}:\\s*(\\d+)`).exec(status)?.[1] ?? 0);
  return { pid: Number(name), parent: number("PPid"), peakBytes: 1024 * number("VmHWM"), command: read("cmdline") };
}
