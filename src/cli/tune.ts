import type { Command } from "commander";
import type { CliContext } from "./context.js";
import * as merge from "./tune-merge.js";

/** `gemma tune`: adapts a model. */
export function register(program: Command, context: CliContext): void {
  const tune = program.command("tune").description("adapt a model to examples");
  merge.register(tune, context);
}
