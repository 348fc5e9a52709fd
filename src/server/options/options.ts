import { isIP } from "node:net";
import { z } from "zod";
import { GemmaError } from "../../base/errors.js";
import type { KeyRing } from "../access/keys.js";
import { check, whole } from "./check.js";

// Every option of the server, once: types, defaults, ranges, flags, names in the environment and in the config file, and
// documentation all come from this schema. A flag, and the variable GEMMA_SERVE_…, are named after the key unless `flag` says otherwise.

const seconds = (max: number) => {
  const error = `must be a number of seconds in 0.001..${max}`;
  return z.number({ error }).min(0.001, { error }).max(max, { error });
};
const yesNo = () => z.boolean({ error: "must be true or false" });
const words = (form: RegExp, error: string) =>
  z
    .array(z.string({ error }).regex(form, { error }), { error: "must be a list" })
    .max(256, { error: "must have at most 256 entries" });
const path = () => z.string({ error: "must be a path" }).min(1, { error: "must be a path" });

const group = <T extends z.core.$ZodShape>(shape: T) =>
  z.strictObject(shape, { error: "must be an object" }).prefault({} as never);

const limits = group({
  bodyBytes: whole(1024, 1 << 30)
    .default(2 << 20)
    .meta({ description: "largest body of a request" }),
  promptTokens: whole(1, 1 << 20)
    .optional()
    .meta({ description: "longest prompt; default: what the context holds" }),
  maxTokens: whole(1, 1 << 20)
    .optional()
    .meta({ description: "longest answer; default: what the context leaves" }),
  concurrentRequests: whole(1, 65_536).default(64).meta({ description: "requests that the engine has at a time" }),
  queueLength: whole(0, 65_536)
    .default(64)
    .meta({ description: "requests that may wait for their turn; more get 429" }),
  queueSeconds: seconds(86_400).default(30).meta({ description: "longest wait for a turn; then 503" }),
  requestSeconds: seconds(86_400).default(600).meta({ description: "longest time of a request, waiting included" }),
  choices: whole(1, 128).default(16).meta({ description: "answers to one prompt (n)" }),
  batchPrompts: whole(1, 2048).default(64).meta({ description: "prompts, or texts to embed, in one request" }),
  writeSeconds: seconds(3600).default(30).meta({ description: "a reader that takes nothing for so long is cut off" }),
  connections: whole(1, 1_000_000).default(1024).meta({ description: "open connections; more are closed at once" }),
});

const rateLimit = group({
  requestsPerMinute: whole(1, 1_000_000)
    .optional()
    .meta({ description: "for keys without a limit of their own, and callers without a key" }),
  tokensPerMinute: whole(1, 1_000_000_000)
    .optional()
    .meta({ description: "the same, for tokens of prompts and answers" }),
});

const server = {
  hosts: words(/^(\*|[^\s/@\\,]{1,255})$/, "must be a host name, with a port or without, or *")
    .default([])
    .meta({
      flag: "allow-host",
      description: "Host header to answer to beside localhost and addresses of this machine's loopback; *: any",
    }),
  origins: words(
    /^(\*|[a-z][a-z0-9+.-]*:\/\/[^\s/@\\,]{1,255})$/,
    "must be an origin such as https://app.example, or *",
  )
    .default([])
    .meta({
      flag: "allow-origin",
      description: "origin whose pages may call the API (CORS); *: any",
    }),
  aliases: words(/^[^\s,]{1,128}$/, "must be a name without spaces")
    .default([])
    .meta({ flag: "alias", description: "another name for the model" }),
  limits,
  rateLimit,
  adapterRoot: path().optional().meta({ description: "folder whose adapters the admin API may load; default: none" }),
  sharePrefixes: yesNo().optional().meta({
    description:
      "keys share what was computed of equal beginnings of prompts, and can measure that; default: only without keys",
  }),
  promptLookup: yesNo().default(true).meta({
    description: "guess tokens from the text so far; without, only the speed differs",
  }),
  logPrompts: yesNo().default(false).meta({ description: "texts of prompts and answers go to the log" }),
  logLevel: z
    .enum(["debug", "info", "warn", "error", "silent"], { error: "must be one of debug, info, warn, error, silent" })
    .default("info")
    .meta({ description: "debug, info, warn, error or silent" }),
  docs: yesNo().default(true).meta({ description: "page at /docs to try the API" }),
  site: yesNo().default(true).meta({ description: "the project's site at /, with a playground" }),
  weights: yesNo().default(false).meta({
    description: "weights of the catalogue's models that are in the cache, at /models, for pages that run them",
  }),
};

/** What `createServer` takes, keys and log apart. */
const serverSchema = z.strictObject(server, { error: "must be an object" });

/** What `gemma serve` takes beside the flags of a model. */
export const serveSchema = z.strictObject(
  {
    host: z
      .string({ error: "must be an address" })
      .regex(/^[^\s/@\\]{1,255}$/, { error: "must be an address" })
      .default("127.0.0.1")
      .meta({ description: "address to listen on" }),
    port: whole(0, 65_535).default(8080).meta({ description: "port to listen on; 0: any that is free" }),
    keysFile: path()
      .optional()
      .meta({ description: "file of API keys; default: server-keys.json in the cache folder, where it exists" }),
    insecureNoKey: yesNo().default(false).meta({ description: "listen beyond this machine without any key" }),
    graceSeconds: seconds(86_400).default(30).meta({ description: "at the end, time for requests under way" }),
    logFile: path().optional().meta({ description: "file to append the log to; default: standard error" }),
    ...server,
  },
  { error: "must be an object" },
);

type ReadonlyDeep<T> = T extends readonly (infer E)[]
  ? readonly ReadonlyDeep<E>[]
  : T extends object
    ? { readonly [K in keyof T]: ReadonlyDeep<T[K]> }
    : T;

/** Something with pino's methods. */
export interface ServerLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** A number for /metrics that whoever runs the server knows, e.g. its open connections. */
export interface Reading {
  /** A name that ends in `_total` is a counter's. */
  readonly name: string;
  readonly help: string;
  read(): number;
}

/** Options of `createServer`; docs/serving.md has them all with their defaults. */
export type ServerOptions = ReadonlyDeep<z.input<typeof serverSchema>> & {
  /** Who may call; an empty ring lets nobody in. Default: everyone may, without a key. */
  readonly keys?: KeyRing | undefined;
  /** Default: no log. */
  readonly log?: ServerLog | undefined;
  /** Further metrics. Default: none. */
  readonly readings?: readonly Reading[] | undefined;
  /** Cache folder, for `weights`. Default: that of Gemma.load. */
  readonly home?: string | undefined;
};

/** Server options with every default in place. */
export type ResolvedServerOptions = ReadonlyDeep<z.output<typeof serverSchema>> & {
  readonly sharePrefixes: boolean;
  readonly keys: KeyRing | undefined;
  readonly log: ServerLog | undefined;
  readonly readings: readonly Reading[];
  readonly home: string | undefined;
};

/** Options of `gemma serve` with every default in place. */
export type ServeOptions = ReadonlyDeep<z.output<typeof serveSchema>>;

/** @throws ERR_USAGE `createServer: limits.choices must be an integer in 1..128, got 0` */
export function resolveServerOptions(given: ServerOptions = {}): ResolvedServerOptions {
  const { keys, log, readings = [], home, ...options } = given;
  const result = check(serverSchema, options);
  if (!("value" in result)) {
    throw new GemmaError("ERR_USAGE", `createServer: ${[result.path.join("."), result.text].join(" ").trim()}`);
  }
  return {
    ...result.value,
    sharePrefixes: result.value.sharePrefixes ?? keys === undefined,
    keys,
    log,
    readings,
    home,
  };
}

/** The part of the options of `gemma serve` that `createServer` takes. */
export function serverPart({
  host,
  port,
  keysFile,
  insecureNoKey,
  graceSeconds,
  logFile,
  ...rest
}: ServeOptions): ServerOptions {
  return rest;
}

/** @throws ERR_USAGE when a server without keys would be reached from elsewhere */
export function expectSafeBinding(
  { host, insecureNoKey }: Pick<ServeOptions, "host" | "insecureNoKey">,
  hasKeys: boolean,
): void {
  if (hasKeys || insecureNoKey || isLoopback(host)) return;
  throw new GemmaError("ERR_USAGE", `serve: an address beyond this machine must have keys, got ${host} and none`, {
    hint: "make one with `gemma serve keys add NAME`, or say --insecure-no-key where something else keeps strangers out",
  });
}

/** Whether only this machine reaches the address. A name may lead anywhere, but for `localhost`. */
export function isLoopback(host: string): boolean {
  const address = host.replace(/^\[|\]$/g, "");
  if (isIP(address) === 4) return address.startsWith("127.");
  return address === "::1" || address.toLowerCase() === "localhost";
}
