import { expect, test } from "vitest";
import { sinks } from "../../test/helpers/sink.js";
import { createOutput, printable } from "./output.js";

test("output: people get lines, scripts get JSON lines, never both", () => {
  const human = sinks();
  const script = sinks();
  for (const [json, streams] of [
    [false, human],
    [true, script],
  ] as const) {
    const output = createOutput(json, streams);
    output.write("streamed ");
    output.line("answer");
    output.data({ text: "answer" });
    output.note("on the side");
  }
  expect(human.stdout.text).toBe("streamed answer\n");
  expect(script.stdout.text).toBe('{"text":"answer"}\n');
  expect(human.stderr.text).toBe("on the side\n");
  expect(script.stderr.text).toBe("");
});

test("output: with --json a person at the terminal still sees notes", () => {
  const streams = sinks(true);
  createOutput(true, streams).note("waiting");
  expect(streams.stderr.text).toBe("waiting\n");
});

test("output: a model's text cannot steer a terminal, and reaches a pipe as it is", () => {
  const [terminal, pipe] = [sinks(true), sinks()];
  for (const streams of [terminal, pipe]) createOutput(false, streams).write("a\tb\n\u001b[2Jé\u009b\r👍");
  expect(terminal.stdout.text).toBe("a\tb\n\ufffd[2Jé\ufffd\ufffd👍");
  expect(pipe.stdout.text).toBe("a\tb\n\u001b[2Jé\u009b\r👍");
});

test.each([
  ["a terminal", true, {}, "\u001b[1mx\u001b[22m"],
  ["a terminal with NO_COLOR", true, { NO_COLOR: "1" }, "x"],
  ["a dumb terminal", true, { TERM: "dumb" }, "x"],
  ["a pipe", false, { FORCE_COLOR: "1" }, "x"],
])("output: colours on %s", (_, isTTY, env, expected) => {
  expect(createOutput(false, sinks(isTTY, env)).colors.bold("x")).toBe(expected);
});

test("printable: one line, no control or bidirectional characters", () => {
  expect(printable("a\n  b\tc\u001b[31m\u202ed\u0000\u009b")).toBe("a b c\ufffd[31m\ufffdd\ufffd\ufffd");
});
