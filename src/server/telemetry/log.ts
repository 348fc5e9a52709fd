import { pino } from "pino";
import type { ServerLog } from "../options/options.js";
import type { LogSink } from "./log-sink.js";

export interface LogOptions {
  readonly level: "debug" | "info" | "warn" | "error" | "silent";
  /** Whether texts of prompts and answers may be logged. */
  readonly logPrompts: boolean;
  readonly sink: Pick<LogSink, "write">;
}

const LEFT_OUT = "[left out]";
const MAX_DEPTH = 12;

const names = (list: string): ReadonlySet<string> => new Set(list.split(" "));

/** Fields that never reach the log, in lower case and without separators. */
const SECRETS = names("authorization proxyauthorization apikey xapikey key token secret hash cookie setcookie");

/** Fields that hold what a person or the model wrote. */
const TEXTS = names(
  "prompt prompts message messages content input text texts answer completion choices output arguments",
);

/** An API key of ours, wherever it stands: the id may be read, the secret not. */
const KEY = /\b(gk_[a-z0-9]{8})_[A-Za-z0-9_-]{43}/g;

/** JSON lines, one an event: level, time, what was given, and `msg`. */
export function createLog({ level, logPrompts, sink }: LogOptions): ServerLog {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => clean(fields, logPrompts, 0) as Record<string, unknown>,
      },
      serializers: { err: (described: unknown) => described },
    },
    { write: (line: string) => sink.write(line.replace(KEY, "$1_***")) },
  );
}

/** A copy without secrets and, unless wanted, without texts. */
function clean(value: unknown, logPrompts: boolean, depth: number): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (depth >= MAX_DEPTH || ArrayBuffer.isView(value)) return LEFT_OUT;
  if (value instanceof Error) return describeError(value, logPrompts, depth);
  if (value instanceof Date) return value;
  if (Array.isArray(value)) return value.map((item) => clean(item, logPrompts, depth + 1));
  const entries = Object.entries(value).map(([name, item]) => {
    const plainName = name.toLowerCase().replace(/[-_]/g, "");
    const isText = TEXTS.has(plainName) && (typeof item === "string" || typeof item === "object");
    const isHidden = SECRETS.has(plainName) || (isText && !logPrompts);
    return [name, isHidden ? LEFT_OUT : clean(item, logPrompts, depth + 1)];
  });
  return Object.fromEntries(entries);
}

function describeError(error: Error, logPrompts: boolean, depth: number): object {
  const { name, message, stack, cause } = error;
  return {
    name,
    ...("code" in error ? { code: error.code } : {}),
    message,
    stack,
    ...(cause instanceof Error ? { cause: clean(cause, logPrompts, depth + 1) } : {}),
  };
}
