import type { PulledFile } from "../cache.js";
import type { Net } from "../net.js";
import type { OnProgress } from "../progress.js";

/** What a source needs to bring a model's files into `folder`. */
export interface SourceContext {
  /** The staging folder: what an earlier, cut pull left is still in it. */
  readonly folder: string;
  readonly net: Net;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress | undefined;
  /** First pause before another attempt. */
  readonly retryDelayMs?: number;
}

/** What the catalogue knows of the one file of a model, and of the size of its download. */
export interface Expectation {
  readonly file?: { readonly name: string; readonly sizeBytes: number; readonly sha256: string } | undefined;
  readonly downloadBytes?: number | undefined;
}

export interface Fetched {
  readonly files: readonly PulledFile[];
  /** Source and exact version. */
  readonly origin: string;
}
