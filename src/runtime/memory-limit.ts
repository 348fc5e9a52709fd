import { readFileSync } from "node:fs";
import { totalmem } from "node:os";

/** Bytes that this process may use: the machine's, or its control group's limit (cgroup v2, then v1). */
export function memoryLimit(): number {
  let limit = totalmem();
  for (const file of ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"]) {
    try {
      const value = Number(readFileSync(file, "utf8").trim()); // "max" is NaN
      if (value > 0) limit = Math.min(limit, value);
    } catch {
      // no control groups of this kind here
    }
  }
  return limit;
}
