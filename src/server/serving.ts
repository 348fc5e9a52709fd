import type { Hono } from "hono";
import type { Models } from "./models.js";
import type { ResolvedServerOptions, ServerLog } from "./options/options.js";
import type { Admission } from "./requests/admission.js";
import type { Call } from "./requests/call.js";
import type { Supervisor } from "./supervisor.js";
import type { Metrics } from "./telemetry/metrics.js";

/** What the handlers of a server share. */
export interface Serving {
  readonly options: ResolvedServerOptions;
  readonly supervisor: Supervisor;
  readonly models: Models;
  readonly admission: Admission;
  /** The door of texts to and from token ids, which take no place of the engine's. */
  readonly tokenizing: Admission;
  readonly metrics: Metrics;
  readonly log: ServerLog;
  /** Requests under way, those of health and metrics apart. */
  readonly calls: Set<Call>;
  /** Whether new requests are taken. */
  readonly isOpen: boolean;
  /** The OpenAPI document of everything that the server answers to. */
  document(): object;
  /** Counts tokens against the caller's limit. */
  countTokens(call: Call, tokens: number): void;
}

/** What hangs on a request in hono's context. */
export interface Env {
  Variables: { call: Call };
}

export type App = Hono<Env>;
