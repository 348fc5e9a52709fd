import { Command } from "commander";
import * as bench from "./bench.js";
import * as chat from "./chat.js";
import type { CliContext } from "./context.js";
import * as doctor from "./doctor.js";
import * as evaluation from "./eval.js";
import * as inspect from "./inspect.js";
import * as list from "./list.js";
import * as pull from "./pull.js";
import * as rm from "./rm.js";
import * as run from "./run.js";
import * as score from "./score.js";
import * as serve from "./serve.js";
import * as tokenize from "./tokenize.js";
import * as tune from "./tune.js";
import { packageVersion } from "./version.js";

// Commands are listed here, one file each. Their modules stay light: the first token waits for all of this.
const COMMANDS: ReadonlyArray<{ register(program: Command, context: CliContext): void }> = [
  run,
  chat,
  pull,
  list,
  rm,
  inspect,
  tokenize,
  score,
  bench,
  evaluation,
  tune,
  serve,
  doctor,
];

/** The commands and their flags. Errors are thrown, not printed. */
export function createProgram(context: CliContext): Command {
  const program = new Command("gemma")
    .description("Run Google's Gemma models from the command line.")
    .version(packageVersion(), "-v, --version")
    .option("--json", "JSON on standard output, one document or one a line")
    .configureHelp({ showGlobalOptions: true })
    .enablePositionalOptions() // what stands behind a command's name is its own, also of `eval report`
    // Errors are printed by reportFailure, in one form for all.
    .configureOutput({ outputError: () => undefined })
    .exitOverride();
  for (const command of COMMANDS) command.register(program, context);
  for (const command of allCommands(program)) {
    if (!command.options.some((option) => option.long === "--json"))
      command.option("--json", "JSON on standard output");
  }
  return program;
}

/** Commands and those below them. */
function allCommands(parent: Command): Command[] {
  return parent.commands.flatMap((command) => [command, ...allCommands(command)]);
}
