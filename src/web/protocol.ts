import type { ToWorker } from "../runtime/protocol.js";

// What a page tells its worker beside the engine's calls: plain data and Blobs.

/** A file of the user's. */
export interface GivenFile {
  readonly name: string;
  readonly blob: Blob;
}

/** How models are found and kept. */
export interface WebSettings {
  /** Address of the folder that names are looked up in. */
  readonly models: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Default: true for downloads, false for the user's files. */
  readonly store?: boolean | undefined;
}

export type ToWebWorker =
  | { readonly type: "settings"; readonly settings: WebSettings }
  /** Files that calls may name by `path`: one file, or those of a folder. */
  | { readonly type: "give"; readonly path: string; readonly files: readonly GivenFile[]; readonly isFolder: boolean }
  | ToWorker;
