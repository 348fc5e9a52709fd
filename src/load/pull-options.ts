import type { CatalogueEntry } from "./catalogue.js";
import type { Net } from "./net.js";
import type { OnProgress } from "./progress.js";

export interface PullOptions {
  /** The cache folder. Default: gemmaHome(env). */
  readonly home?: string;
  /** Use what is in the cache only. Default: GEMMA_OFFLINE or HF_HUB_OFFLINE. */
  readonly offline?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
  /** Lines for people: the licence, a wait, a source that failed. */
  readonly onNotice?: (line: string) => void;
  readonly env?: NodeJS.ProcessEnv;
}

/** For tests: another network and catalogue, and shorter pauses. */
export interface PullSeams {
  readonly net?: (env: NodeJS.ProcessEnv) => Net;
  readonly catalogue?: readonly CatalogueEntry[];
  readonly retryDelayMs?: number;
}
