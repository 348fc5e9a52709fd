import { GemmaError } from "../base/errors.js";
import type { GivenFile } from "./protocol.js";
import { baseUrl, sourceOf } from "./source.js";

/**
 * Where a page's model comes from. A string is a name (of a stored model, or of one that `models` offers) or an address of a
 * .gguf file, which `#sha256=HEX` has checked. A Blob is a GGUF file of the user's. Files are those of one Hugging Face model.
 */
export type ModelSource = string | Blob | readonly File[];

/** A source as a worker takes it. */
export interface WiredSource {
  /** What the engine calls it. */
  readonly model: string;
  readonly files?: readonly GivenFile[];
  readonly isFolder: boolean;
}

export function wireSource(source: ModelSource): WiredSource {
  if (typeof source === "string") {
    const { name, url, ...rest } = sourceOf(source, baseUrl());
    if (url === undefined) return { model: name, isFolder: false };
    const hash = "sha256" in rest ? `#sha256=${rest.sha256}` : "";
    return { model: `${url.href}${hash}`, isFolder: false };
  }
  if (source instanceof Blob) {
    const name = nameOf(source);
    return { model: name, files: [{ name, blob: source }], isFolder: false };
  }
  if (source.length === 0) throw new GemmaError("ERR_USAGE", "model: must be files, got none");
  if (source.length === 1) return wireSource(source[0]!);
  const [first] = source;
  // A folder that was dropped or chosen as a whole tells its name.
  const folder = first!.webkitRelativePath.split("/").at(-2) || `${first!.name} and ${source.length - 1} more`;
  return { model: folder, files: source.map((file) => ({ name: file.name, blob: file })), isFolder: true };
}

function nameOf(blob: Blob): string {
  return blob instanceof File && blob.name !== "" ? blob.name : "model.gguf";
}
