import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { GemmaError } from "../base/errors.js";
import { findModel } from "./cache.js";
import { CATALOGUE, type CatalogueEntry, findEntry } from "./catalogue.js";
import { expectModelName, isModelName, show } from "./names.js";
import { SHIPPED_MODELS } from "./shipped.js";
import { looksLikePath } from "./sources/path.js";
import type { Expectation } from "./sources/source.js";
import { describeSpec, isSpec, parseSpec, SPEC_FORMS, type Spec } from "./spec.js";
import { TUNED_MODELS } from "./tuned.js";

/** What the text of a user names. */
export type Target =
  | { readonly kind: "path"; readonly path: string }
  | {
      readonly kind: "model";
      /** Its folder in the cache. */
      readonly name: string;
      /** Tried in order. Empty for a model that is known to the cache alone. */
      readonly sources: readonly Spec[];
      readonly expected: Expectation;
    };

/**
 * Decides what `text` is: a source (`hf:…`), a path, a name of the catalogue or a name in the cache. A bare name
 * that the catalogue knows is never a folder of the same name; `./NAME` is.
 *
 * @throws ERR_UNKNOWN_MODEL, ERR_USAGE
 */
export async function locate(
  text: string,
  home: string,
  catalogue: readonly CatalogueEntry[] = CATALOGUE,
): Promise<Target> {
  if (isSpec(text)) {
    const spec = parseSpec(text);
    return { kind: "model", name: specName(spec), sources: [spec], expected: {} };
  }
  const entry = findEntry(text.toLowerCase(), catalogue);
  if (entry !== undefined) {
    return { kind: "model", name: entry.name, sources: entry.sources.map(parseSpec), expected: entry };
  }
  if (isModelName(text) && (await findModel(home, text)) !== undefined) {
    return { kind: "model", name: text, sources: [], expected: {} };
  }
  const exists = await stat(text)
    .then(() => true)
    .catch(() => false);
  if (exists || (looksLikePath(text) && !isRepository(text))) return { kind: "path", path: text };
  throw unknownModel(text, catalogue);
}

/** The name in the cache of what a user calls `text`, whether it is there or not. @throws ERR_INVALID_NAME */
export function cacheName(text: string, catalogue: readonly CatalogueEntry[] = CATALOGUE): string {
  if (isSpec(text)) return specName(parseSpec(text));
  return findEntry(text.toLowerCase(), catalogue)?.name ?? expectModelName(text);
}

/** Readable, and different for different sources: they differ in case, revision or query alone. */
function specName(spec: Spec): string {
  const exact = spec.kind === "https" ? `${spec.url.href}#${spec.sha256 ?? ""}` : describeSpec(spec);
  const hash = createHash("sha256").update(exact).digest("hex").slice(0, 8);
  const words = describeSpec(spec)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-");
  return `${words.slice(0, 54)}-${hash}`;
}

function isRepository(text: string): boolean {
  return /^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/.test(text) && !/\.(gguf|safetensors|json)$/i.test(text);
}

function unknownModel(text: string, catalogue: readonly CatalogueEntry[]): GemmaError {
  const hint = isRepository(text)
    ? `a repository on Hugging Face is written hf:${text}`
    : `known names: ${[...SHIPPED_MODELS, ...TUNED_MODELS, ...catalogue].map(({ name }) => name).join(", ")}; other forms: ${SPEC_FORMS.join("; ")}`;
  return new GemmaError("ERR_UNKNOWN_MODEL", `model: must be a known name, a source or a path, got ${show(text)}`, {
    hint,
  });
}
