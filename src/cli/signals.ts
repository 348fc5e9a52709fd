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
