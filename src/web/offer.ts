import { GemmaError } from "../base/errors.js";
import { parseJson } from "../format/json.js";
import { expectObject, getArray, getInteger, getString } from "../format/json-read.js";
import { findEntry } from "../load/catalogue.js";
import { expectFileName, expectModelName, parseDigest } from "../load/names.js";
import { baseUrl } from "./source.js";
import type { StoredFile } from "./storage/stored.js";

/** A model that a server offers to pages. */
export interface OfferedModel {
  readonly name: string;
  /** One line for lists. */
  readonly label: string;
  readonly files: readonly StoredFile[];
  readonly sizeBytes: number;
  /** Another model of the same list that this is an adapter on; its size is not in `sizeBytes`. */
  readonly base?: string;
}

export interface OfferOptions {
  /** A folder with index.json. Default: "/models/". */
  readonly models?: string | URL | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
}

const INDEX = "index.json";
const MAX_INDEX_BYTES = 1 << 20;

/** The folder as an address that ends in a slash. */
export function modelsUrl(models: string | URL = "/models/", base: string = baseUrl()): URL {
  const url = new URL(models, base);
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url;
}

/**
 * What `models` offers.
 * @throws ERR_MISSING_FILE where there is no index.json, ERR_NETWORK, ERR_CHECKSUM where a name of the catalogue comes
 *   with another file than the catalogue's
 */
export async function offeredModels(options: OfferOptions = {}): Promise<readonly OfferedModel[]> {
  const url = new URL(INDEX, modelsUrl(options.models));
  const text = await fetchText(url, options);
  return parseIndex(text, url.href);
}

/** The offered model of that name or alias. @throws ERR_UNKNOWN_MODEL */
export function findOffered(name: string, offered: readonly OfferedModel[], where: string): OfferedModel {
  const canonical = findEntry(name.toLowerCase())?.name ?? name;
  const model = offered.find((one) => one.name === canonical);
  if (model) return model;
  throw new GemmaError("ERR_UNKNOWN_MODEL", `${name}: must be stored here or offered by ${where}, got neither`, {
    hint: `offered: ${offered.map((one) => one.name).join(", ") || "nothing"}; an address of a .gguf file will do, too`,
  });
}

async function fetchText(url: URL, { headers, signal }: OfferOptions): Promise<string> {
  let response: Response;
  try {
    response = await fetch(url, { ...(headers ? { headers } : {}), ...(signal ? { signal } : {}), cache: "no-cache" });
  } catch (cause) {
    signal?.throwIfAborted();
    throw new GemmaError("ERR_NETWORK", `${url.href}: must answer, got ${String(cause)}`, { cause });
  }
  if (response.ok) return response.text();
  const code = response.status === 404 ? "ERR_MISSING_FILE" : "ERR_NETWORK";
  throw new GemmaError(code, `${url.href}: must list the models, got status ${response.status}`, {
    hint: "set `models` to the folder of your models, or give the address of a .gguf file",
  });
}

/** index.json, checked. @throws ERR_INVALID_JSON, ERR_MISSING_KEY, ERR_INVALID_TYPE, ERR_PATH_ESCAPE, ERR_CHECKSUM */
export function parseIndex(text: string, where: string): readonly OfferedModel[] {
  if (text.length > MAX_INDEX_BYTES) {
    throw new GemmaError("ERR_LIMIT_EXCEEDED", `${where}: must have at most ${MAX_INDEX_BYTES} characters`);
  }
  return getArray(expectObject(parseJson(text, where), where), "models", where).map((item, i) => {
    const at = `${where}: models[${i}]`;
    const model = expectObject(item, at);
    const name = expectModelName(getString(model, "name", at));
    const files = getArray(model, "files", at).map((entry, k): StoredFile => {
      const fileAt = `${at}: files[${k}]`;
      const file = expectObject(entry, fileAt);
      return {
        name: expectFileName(getString(file, "name", fileAt), fileAt),
        sizeBytes: getInteger(file, "sizeBytes", fileAt),
        sha256: parseDigest(getString(file, "sha256", fileAt), fileAt),
      };
    });
    expectCatalogued(name, files, at);
    const base = model.get("base");
    return {
      name,
      label: getString(model, "label", at),
      files,
      sizeBytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      ...(typeof base === "string" ? { base } : {}),
    };
  });
}

/** A name of the catalogue stands for certain bytes, whoever serves them. */
function expectCatalogued(name: string, files: readonly StoredFile[], at: string): void {
  const known = findEntry(name)?.file;
  if (known === undefined) return;
  const got = files.map(({ sha256 }) => sha256).join(", ");
  if (files.length === 1 && got === known.sha256) return;
  throw new GemmaError("ERR_CHECKSUM", `${at}: ${name} must be the file ${known.sha256}, got ${got}`);
}
