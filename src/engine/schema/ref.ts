import { invalid, isObject, own } from "./types.js";

/** The schema that a reference inside the same document names: `#`, `#/$defs/item`. @throws ERR_SCHEMA */
export function resolveRef(root: unknown, ref: string, path: string): unknown {
  if (ref !== "#" && !ref.startsWith("#/")) throw invalid(path, `must begin with #/ (same document), got ${show(ref)}`);
  let target: unknown = root;
  for (const part of ref.split("/").slice(1)) {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    target = Array.isArray(target) ? target[Number(key)] : isObject(target) ? own(target, key) : undefined;
    if (target === undefined) throw invalid(path, `must name a schema of this document, got ${show(ref)}`);
  }
  return target;
}

function show(ref: string): string {
  return JSON.stringify(ref.length > 80 ? `${ref.slice(0, 77)}...` : ref);
}
