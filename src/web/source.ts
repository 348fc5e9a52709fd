import { GemmaError } from "../base/errors.js";
import { findEntry } from "../load/catalogue.js";
import { isFileName, parseDigest, show } from "../load/names.js";

/** A file that is fetched. */
export interface ModelFile {
  readonly name: string;
  readonly url: URL;
  readonly sizeBytes?: number;
  readonly sha256?: string;
}

export type TextSource =
  | { readonly name: string; readonly url?: undefined }
  | { readonly name: string; readonly url: URL; readonly sha256?: string };

/**
 * What a text means: an address if it looks like one, else a name.
 * @param base what relative addresses are relative to
 * @throws ERR_USAGE, ERR_INVALID_VALUE for a malformed hash
 */
export function sourceOf(text: string, base: string): TextSource {
  if (!/^(https?:|\.{0,2}\/)/i.test(text)) return { name: findEntry(text.toLowerCase())?.name ?? text };
  if (!URL.canParse(text, base)) throw new GemmaError("ERR_USAGE", `model: must be an address, got ${show(text)}`);
  const url = new URL(text, base);
  if (url.username !== "" || url.password !== "") {
    throw new GemmaError("ERR_USAGE", "model: must be an address without a user name, got one with it", {
      hint: "pass `headers` with an authorization",
    });
  }
  const sha256 = /^#sha256=(.*)$/.exec(url.hash)?.[1];
  url.hash = "";
  // A query may carry a signature that is another tomorrow: it is no part of the name.
  const name = `${url.origin}${url.pathname}`;
  return { name, url, ...(sha256 === undefined ? {} : { sha256: parseDigest(sha256, "sha256 after #") }) };
}

/** What relative addresses are relative to: a page's own address, or that of a worker which an application has. */
export function baseUrl(): string {
  return (globalThis as { document?: Document }).document?.baseURI ?? location.href;
}

/** What the file behind an address is called: the end of its path, where that is a plain name. */
export function fileNameOf(url: URL): string {
  const last = decodeURIComponent(url.pathname.split("/").at(-1) ?? "");
  return isFileName(last) ? last : "model.gguf";
}
