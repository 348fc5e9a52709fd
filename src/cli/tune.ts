import type { Command } from "commander";
import type { CliContext } from "./context.js";
import * as report from "./tune-report.js";

/** `gemma tune`: adapts a model, and tells what that did. */
export function register(program: Command, context: CliContext): void {
  const command = program.command("tune").description("adapt a model to examples, and know what it cost");
  command.enablePositionalOptions(); // behind a subcommand stand its own flags
  report.register(command, context);
}
