#!/usr/bin/env node
import type { CliContext } from "./context.js";
import { reportFailure } from "./fail.js";
import { createOutput, endQuietlyOnClosedPipe } from "./output.js";
import { createProgram } from "./program.js";
import { addServerFlags } from "./serve.js";
import { interruptSignal } from "./signals.js";

async function main(args: readonly string[]): Promise<number> {
  // Needed before parsing, because a parse error is reported in the same form. After "--" it is text.
  const options = args.includes("--") ? args.slice(0, args.indexOf("--")) : args;
  const json = options.includes("--json");
  process.on("uncaughtException", (error) => process.exit(reportFailure(error, json)));
  endQuietlyOnClosedPipe();
  const context: CliContext = { output: createOutput(json), signal: interruptSignal() };
  try {
    const program = createProgram(context);
    if (options.includes("serve")) await addServerFlags(program); // also for `help serve`
    await program.parseAsync([...args], { from: "user" });
    context.signal.throwIfAborted();
    return 0;
  } catch (error) {
    return reportFailure(context.signal.aborted ? context.signal.reason : error, json);
  }
}

// The code is set, not forced with exit(): output still in a pipe's buffer must arrive.
process.exitCode = await main(process.argv.slice(2));
