// What Linux says about a process, out of /proc.
import { existsSync, readdirSync, readFileSync } from "node:fs";

export function expectProc() {
  if (!existsSync("/proc/self/status"))
    throw new Error("this measures memory and descriptors by /proc: it needs Linux");
}

/** Ids of a process and all below it that are alive. */
export function processTree(pid) {
  const below = new Map();
  for (const name of readdirSync("/proc")) {
    const stat = /^\d+$/.test(name) ? readIfThere(`/proc/${name}/stat`) : null;
    if (stat === null) continue;
    const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]); // a name may hold spaces and brackets
    below.set(parent, [...(below.get(parent) ?? []), Number(name)]);
  }
  const tree = [pid];
  for (const id of tree) tree.push(...(below.get(id) ?? []));
  return tree;
}

/** Of a process and all below it: what is in memory now, and the sum of what each had at most. Mapped files count. */
export function memory(pid) {
  const sums = { rssBytes: 0, peakBytes: 0 };
  for (const id of processTree(pid)) {
    const status = readIfThere(`/proc/${id}/status`) ?? "";
    const bytes = (field) => 1024 * Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? 0);
    sums.rssBytes += bytes("VmRSS");
    sums.peakBytes += bytes("VmHWM");
  }
  return sums;
}

const TICK_MS = 10; // USER_HZ is 100 on every Linux that Node runs on

/** CPU time that a process and all below it have taken, those that have ended left out. */
export function cpuMs(pid) {
  const ticks = processTree(pid).map((id) => {
    const stat = readIfThere(`/proc/${id}/stat`) ?? "";
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  });
  return TICK_MS * ticks.reduce((sum, one) => sum + one, 0);
}

/** Open file descriptors of the process itself. */
export function descriptors(pid) {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Processes end while one reads. */
function readIfThere(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
