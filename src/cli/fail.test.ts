import { CommanderError } from "commander";
import { expect, test } from "vitest";
import { sinks } from "../../test/helpers/sink.js";
import { GemmaError } from "../base/errors.js";
import { EXIT, Interrupted, reportFailure } from "./fail.js";

test.each([
  [
    "a failure",
    new GemmaError("ERR_CHECKSUM", "x: must be y", { hint: "pull it\nor not" }),
    1,
    "error: x: must be y\nhint: pull it\nhint: or not\n",
  ],
  ["wrong usage", new GemmaError("ERR_USAGE", "no prompt"), 2, "error: no prompt\n"],
  [
    "a parse error",
    new CommanderError(1, "commander.unknownOption", "error: unknown option '--x'"),
    2,
    "error: unknown option '--x'\nhint: gemma --help lists commands and options\n",
  ],
  [
    "a suggestion",
    new CommanderError(1, "commander.unknownCommand", "error: unknown command 'rum'\n(Did you mean run?)"),
    2,
    "error: unknown command 'rum'\nhint: Did you mean run?\n",
  ],
  [
    "a missing file",
    Object.assign(new Error("ENOENT: x"), { code: "ENOENT" }),
    1,
    "error: gemma: no such file or directory\nhint: check the path\n",
  ],
  [
    "a bug",
    new TypeError("x is not a function"),
    1,
    "error: unexpected: x is not a function\nhint: this is a bug; GEMMA_DEBUG=1 shows where it happened\n",
  ],
  ["Ctrl-C", new Interrupted(), 130, ""],
  ["--help", new CommanderError(0, "commander.helpDisplayed", "(outputHelp)"), 0, ""],
])("failures: %s", (_, error, code, expected) => {
  const streams = sinks();
  expect(reportFailure(error, false, streams)).toBe(code);
  expect(streams.stderr.text).toBe(expected);
});

test("failures: one JSON line with --json, a stack trace only with GEMMA_DEBUG", () => {
  const error = new GemmaError("ERR_OFFLINE", "x: a download is needed", { hint: "unset GEMMA_OFFLINE" });
  const streams = sinks();
  expect(reportFailure(error, true, streams)).toBe(EXIT.failed);
  expect(JSON.parse(streams.stderr.text)).toEqual({
    error: { code: "ERR_OFFLINE", message: "x: a download is needed", hint: "unset GEMMA_OFFLINE" },
  });
  const debug = sinks(false, { GEMMA_DEBUG: "1" });
  reportFailure(error, false, debug);
  expect(debug.stderr.text).toContain("fail.test.ts");
});
