import { spawn, spawnSync } from "node:child_process";

/**
 * Keeps `count` cores busy with a process each, bound to its core where `taskset` exists, until the returned function
 * is called.
 */
export function keepBusy(count) {
  const isBound = spawnSync("taskset", ["--version"], { stdio: "ignore" }).status === 0;
  const children = Array.from({ length: count }, (_, core) => {
    const spin = [process.execPath, "-e", "for (;;);"];
    const [command, ...args] = isBound ? ["taskset", "-c", String(core), ...spin] : spin;
    return spawn(command, args, { stdio: "ignore" });
  });
  const stop = () => {
    for (const child of children) child.kill("SIGKILL");
  };
  process.once("exit", stop); // also behind an error
  return () => {
    stop();
    process.removeListener("exit", stop);
  };
}
