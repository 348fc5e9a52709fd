import type { Command } from "commander";
import type { Scope, StoredKey } from "../server/access/keys.js";
import type { CliContext } from "./context.js";
import { integer, number, oneOf } from "./model-options.js";

interface AddFlags {
  readonly keysFile?: string;
  readonly scope?: readonly Scope[];
  readonly requestsPerMinute?: number;
  readonly tokensPerMinute?: number;
  readonly priority?: number;
  readonly expires?: number;
}

// Not imported from the server, whose schemas take longer to load than all commands together.
const SCOPES = ["inference", "admin", "metrics"] as const satisfies readonly Scope[];
const DAY_MS = 86_400_000;

/** `gemma serve keys`: who may use a server. */
export function register(serve: Command, context: CliContext): void {
  const keys = serve
    .command("keys")
    .description("API keys of gemma serve; running servers take changes over")
    .configureHelp({ showGlobalOptions: false }) // those of `serve` are not theirs
    .enablePositionalOptions();
  const withFile = (command: Command) =>
    command.option("--keys-file <file>", "the file of keys; default: server-keys.json in the cache folder");

  withFile(keys.command("add"))
    .description("make a key and show it, once: nobody can read it again")
    .argument("<name>", "what the key is for, for lists and logs")
    .option("--scope <name>", `${SCOPES.join(", ")}; may be repeated; default: inference`, collectScope)
    .option("--requests-per-minute <n>", "requests that it may send a minute", integer(1, 1_000_000))
    .option("--tokens-per-minute <n>", "tokens of prompts and answers a minute", integer(1, 1_000_000_000))
    .option("--priority <n>", "-100 to 100: whose requests go first", integer(-100, 100))
    .option("--expires <days>", "days until it ends", number(0, 36_500))
    .action((name: string, flags: AddFlags) => add(name, flags, context));
  withFile(keys.command("list"))
    .description("list keys, without what is secret")
    .action((flags: AddFlags) => list(flags, context));
  withFile(keys.command("remove"))
    .description("remove a key")
    .argument("<id>", "its id, as gemma serve keys list shows it")
    .action((id: string, flags: AddFlags) => remove(id, flags, context));
}

async function add(name: string, flags: AddFlags, { output }: CliContext): Promise<void> {
  const { addKey, defaultKeysFile } = await import("../server/access/keys-file.js");
  const { keysFile = defaultKeysFile(), scope: scopes, requestsPerMinute, tokensPerMinute, priority, expires } = flags;
  const expiresAt = expires === undefined ? undefined : new Date(Date.now() + expires * DAY_MS);
  const { text, stored } = await addKey(keysFile, name, {
    ...{ scopes, requestsPerMinute, tokensPerMinute, priority, expiresAt },
  });
  output.note(`added ${stored.id} to ${keysFile}; this is the only time that the key is shown:`);
  output.line(text);
  output.data({ key: text, ...shown(stored), keysFile });
}

async function list({ keysFile }: AddFlags, { output }: CliContext): Promise<void> {
  const { defaultKeysFile, listKeys } = await import("../server/access/keys-file.js");
  const path = keysFile ?? defaultKeysFile();
  const keys = await listKeys(path);
  if (keys.length === 0) output.note(`no keys in ${path}`);
  for (const key of keys) output.line(describe(key));
  output.data({ keysFile: path, keys: keys.map(shown) });
}

async function remove(id: string, { keysFile }: AddFlags, { output }: CliContext): Promise<void> {
  const { defaultKeysFile, removeKey } = await import("../server/access/keys-file.js");
  const removed = await removeKey(keysFile ?? defaultKeysFile(), id);
  output.line(`removed ${removed.id} (${removed.name})`);
  output.data({ removed: removed.id });
}

/** All but the hash. */
function shown({ hash, ...rest }: StoredKey): Omit<StoredKey, "hash"> {
  return rest;
}

/** `ab12cd34  ci  inference,metrics  60 requests/min  until 2030-01-31` */
function describe(key: StoredKey): string {
  const { expiresAt } = key;
  const isOver = expiresAt !== undefined && Date.parse(expiresAt) <= Date.now();
  return [
    ...[key.id, key.name, key.scopes.join(",")],
    ...(key.requestsPerMinute === undefined ? [] : [`${key.requestsPerMinute} requests/min`]),
    ...(key.tokensPerMinute === undefined ? [] : [`${key.tokensPerMinute} tokens/min`]),
    ...(key.priority === undefined ? [] : [`priority ${key.priority}`]),
    ...(expiresAt === undefined ? [] : [`${isOver ? "expired" : "until"} ${expiresAt.slice(0, 10)}`]),
  ].join("  ");
}

function collectScope(text: string, before: readonly Scope[] = []): readonly Scope[] {
  return [...before, oneOf(SCOPES)(text)];
}
