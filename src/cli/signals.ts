import { constants } from "node:os";
import { EXIT, Interrupted } from "./fail.js";

/** A terminal sends a Ctrl-C to a wrapper such as npx or timeout, too, which hands it on: that is no second one. */
const SAME_MS = 300;

/**
 * The first Ctrl-C (or SIGTERM) aborts the returned signal, so that a command can stop cleanly; the second quits at once
 * with 130.
 */
export function interruptSignal(now: () => number = () => performance.now()): AbortSignal {
  const controller = new AbortController();
  let firstMs = 0;
  const onSignal = () => {
    if (!controller.signal.aborted) {
      firstMs = now();
      controller.abort(new Interrupted("interrupted"));
    } else if (now() - firstMs > SAME_MS) process.exit(EXIT.interrupted);
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
