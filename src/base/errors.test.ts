import { expect, test } from "vitest";
import { fromSystemError, GemmaError } from "./errors.js";

test("an error survives the way through a worker or --json", () => {
  const error = new GemmaError("ERR_SHAPE", "rmsNorm: weight must be [2048] (D), got [3072]", {
    hint: "check the file",
  });
  const back = GemmaError.fromJSON(JSON.parse(JSON.stringify(error)));
  expect({ code: back.code, message: back.message, hint: back.hint }).toEqual({
    code: "ERR_SHAPE",
    message: "rmsNorm: weight must be [2048] (D), got [3072]",
    hint: "check the file",
  });
});

test("the stack of another thread is kept, and sent only by who asks for it", () => {
  const back = GemmaError.fromJSON({ code: "ERR_SHAPE", message: "x", stack: "x\n    at elsewhere" });
  expect(back.stack).toBe("x\n    at elsewhere");
  expect(back.toJSON()).toEqual({ code: "ERR_SHAPE", message: "x" });
});

test("errors of the operating system become readable", () => {
  const full = Object.assign(new Error("write"), { code: "ENOSPC" });
  expect(fromSystemError(full, "pull")).toMatchObject({ code: "ERR_DISK_FULL" });
  const abort = new DOMException("stop", "AbortError");
  expect(fromSystemError(abort, "pull")).toBe(abort);
});
