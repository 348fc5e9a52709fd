import { afterEach, expect, test, vi } from "vitest";
import { interruptSignal } from "./signals.js";

const NAMES = ["SIGINT", "SIGTERM"] as const;
afterEach(() => {
  for (const name of NAMES) process.removeAllListeners(name);
  vi.restoreAllMocks();
});

test.each(NAMES)("a %s aborts; what a wrapper hands on is the same one, a second one quits", (name) => {
  const exit = vi.spyOn(process, "exit").mockImplementation(() => undefined as never);
  let timeMs = 1000;
  const signal = interruptSignal(() => timeMs);
  expect(signal.aborted).toBe(false);
  process.emit(name);
  expect(signal.aborted).toBe(true);
  timeMs += 200;
  process.emit(name);
  expect(exit).not.toHaveBeenCalled();
  timeMs += 200;
  process.emit(name);
  expect(exit).toHaveBeenCalledExactlyOnceWith(130);
});
