import { constants } from "node:os";
import { EXIT, Interrupted } from "./fail.js";

/**
 * The first Ctrl-C (or SIGTERM) aborts the returned signal, so that a command can stop cleanly; the second quits at once
 * with 130.
 */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort(new Interrupted("interrupted"));
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return controller.signal;
}

/**
 * For a command that runs until it is told to end, in place of interruptSignal: the first signal is the one that this resolves
 * with, the second ends the process at once, with 130 or 143.
 */
export function askedToEnd(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let isAsked = false;
    for (const name of ["SIGINT", "SIGTERM"] as const) {
      process.removeAllListeners(name);
      process.on(name, () => {
        if (isAsked) process.exit(128 + constants.signals[name]);
        isAsked = true;
        resolve(name);
      });
    }
  });
}
