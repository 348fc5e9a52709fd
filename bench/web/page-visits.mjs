// A headless Chromium that nobody looks into: its page itself tells the site what it measures.
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

const FLAGS = ["--headless", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--no-first-run"];
const LONGEST_MS = 300_000;
const CLOSING_MS = 5000;

/**
 * Visits by one tab, one after another.
 * @returns what the page tells of each, and the most memory that a process of a page had
 */
export async function visitPage(visits, profile, site) {
  const url = `${site.url}?visits=${encodeURIComponent(JSON.stringify(visits))}`;
  const browser = spawn(process.env.CHROMIUM ?? "/usr/bin/chromium", [...FLAGS, `--user-data-dir=${profile}`, url], {
    stdio: "ignore",
    detached: true, // with its helper processes in a group that can be ended
  });
  const ended = new Promise((resolve) => browser.once("exit", resolve).once("error", resolve));
  const late = setTimeout(() => process.kill(-browser.pid, "SIGKILL"), LONGEST_MS);
  try {
    const results = [];
    for (const { name } of visits) {
      const told = await Promise.race([
        site.told(),
        ended.then(() => ({ error: "Chromium must stay open, got its end ($CHROMIUM?)" })),
      ]);
      if (told.error !== undefined) throw new Error(`${name}: ${told.error}`);
      results.push(told);
    }
    return { results, peakBytes: Math.max(...pagePeaks(profile)) };
  } finally {
    clearTimeout(late);
    await close(browser, ended);
  }
}

async function close(browser, ended) {
  if (browser.pid === undefined || browser.exitCode !== null || browser.signalCode !== null) return;
  process.kill(-browser.pid, "SIGTERM");
  const late = setTimeout(() => process.kill(-browser.pid, "SIGKILL"), CLOSING_MS);
  await ended;
  clearTimeout(late);
}

/** Peak resident bytes of each process of the browser with this profile that runs pages. */
function pagePeaks(profile) {
  const processes = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(describe);
  const main = processes.find(({ command }) => command.includes(profile) && !command.includes("--type="));
  const isOfBrowser = (pid) => {
    for (let at = pid; at > 1; at = processes.find((each) => each.pid === at)?.parent ?? 0)
      if (at === main.pid) return true;
    return false;
  };
  const pages = processes.filter(({ pid, command }) => command.includes("--type=renderer") && isOfBrowser(pid));
  return pages.map(({ peakBytes }) => peakBytes);
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
