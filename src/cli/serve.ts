import { type Command, InvalidArgumentError, Option } from "commander";
import { DEFAULT_CHAT_MODEL } from "../load/tuned.js";
import type { OptionInfo } from "../server/options/option-sources.js";
import type { CliContext } from "./context.js";
import { addBackendFlags, integer, type ModelFlags } from "./model-options.js";
import * as keys from "./serve-keys.js";

export interface ServeFlags extends Omit<ModelFlags, "adapter"> {
  readonly config?: string;
  readonly adapter?: Readonly<Record<string, string>>;
  readonly maxSequences?: number;
  /** MiB. */
  readonly prefixCache?: number;
  /** Flags of the server that were given, by the path of their option. */
  readonly server: Readonly<Record<string, string | boolean | readonly string[]>>;
}

/** `gemma serve`: a model behind an HTTP API. */
export function register(program: Command, context: CliContext): void {
  const command = program
    .command("serve")
    .description("serve a model with the APIs of OpenAI and Ollama, until Ctrl-C or SIGTERM")
    .enablePositionalOptions() // behind a subcommand stand its own flags
    .option("-m, --model <model>", "name, source or path of the model", DEFAULT_CHAT_MODEL)
    .option(
      "--adapter <name=dir>",
      "PEFT LoRA adapter folder that requests choose by the name; may be repeated",
      namedFolder,
    )
    .option("--max-sequences <n>", "sequences computed together at most; default: 64", integer(1, 256))
    .option(
      "--prefix-cache <MiB>",
      "memory for what was computed of ended texts, for later ones that begin alike; default: 512",
      integer(0, 1 << 20),
    );
  addBackendFlags(command)
    .option("--config <file>", "JSON file of the options below; flags and the environment go before it")
    .action(async (flags: Omit<ServeFlags, "server">) => {
      const { serveCommand } = await import("./serve-run.js");
      await serveCommand({ ...flags, server: await serverFlags(command) }, context);
    });
  keys.register(command, context);
}

/** Adds the flags that the schema of options declares. It takes longer to load than all commands together. */
export async function addServerFlags(program: Command): Promise<void> {
  const command = program.commands.find((one) => one.name() === "serve")!;
  const { OPTIONS } = await import("../server/options/option-sources.js");
  for (const option of OPTIONS) for (const flag of flagsOf(option)) command.addOption(flag);
}

async function serverFlags(command: Command): Promise<ServeFlags["server"]> {
  const { OPTIONS } = await import("../server/options/option-sources.js");
  const given = OPTIONS.flatMap((option) => {
    const name = flagsOf(option)[0]!.attributeName();
    return command.getOptionValueSource(name) === "cli" ? [[option.path.join("."), command.getOptionValue(name)]] : [];
  });
  return Object.fromEntries(given);
}

function flagsOf({ flag, kind, description, defaultValue, variable }: OptionInfo): Option[] {
  const words = `${defaultValue === true ? "no " : ""}${description} [${variable}]`;
  if (kind === "boolean") {
    const no = flag.replace("--", "--no-");
    return defaultValue === undefined
      ? [new Option(flag, words), new Option(no, `not ${flag}`)]
      : [new Option(flag, words)];
  }
  const option = new Option(`${flag} <${kind === "number" ? "n" : "value"}>`, words);
  if (kind === "list") {
    option.argParser((text: string, before: readonly string[] = []) => [...before, text]);
    option.description = `${words}; may be repeated`;
  } else if (defaultValue !== undefined) option.default(defaultValue);
  return [option];
}

function namedFolder(text: string, before: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const [, name, folder] = /^([A-Za-z0-9][A-Za-z0-9._-]{0,63})=(.+)$/s.exec(text) ?? [];
  if (name === undefined || folder === undefined) {
    throw new InvalidArgumentError(
      "must be a name of letters, digits, . _ - and a folder, as in style=./style-adapter",
    );
  }
  if (Object.hasOwn(before, name)) throw new InvalidArgumentError(`must name each adapter once, got ${name} again`);
  return { ...before, [name]: folder };
}
