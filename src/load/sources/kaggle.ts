import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { GemmaError } from "../../base/errors.js";
import { parseJson } from "../../format/json.js";
import { expectObject, getArray, getInteger, getString } from "../../format/json-read.js";
import type { PulledFile } from "../cache.js";
import { downloadFile } from "../download.js";
import { type FetchJsonOptions, fetchJson } from "../fetch-json.js";
import { expectFileName, isFileName } from "../names.js";
import { describeSpec, type Spec } from "../spec.js";
import { chooseFiles } from "./choose.js";
import { expectGguf } from "./https.js";
import type { Fetched, SourceContext } from "./source.js";
import { unpackTarGz } from "./unpack.js";

type KaggleSpec = Extract<Spec, { kind: "kaggle" }>;

const MAX_PAGES = 40;

/**
 * A model folder or a GGUF file of a Kaggle model, file by file, so that a cut costs one file at most. Variations
 * that were uploaded as one .tar.gz are unpacked.
 *
 * @param site for tests, another server
 */
export async function fetchKaggle(
  spec: KaggleSpec,
  context: SourceContext,
  site = new URL("https://www.kaggle.com"),
): Promise<Fetched> {
  const authorization = await findCredentials(context.env);
  const request = {
    ...context,
    authorization,
    allowHost: (host: string) =>
      host === site.hostname ||
      host === "kaggle.com" ||
      host.endsWith(".kaggle.com") ||
      host === "storage.googleapis.com",
    explainStatus: (status: number) => explainStatus(status, spec, site, authorization !== undefined),
  };
  const variation = `${site.origin}/api/v1/models/${spec.owner}/${spec.model}/${spec.framework}/${spec.variation}`;
  const version = spec.version ?? (await newestVersion(context, new URL(`${variation}/get`), request));
  const exact = { ...spec, version };
  const where = describeSpec(exact);

  const all = await listFiles(context, `${variation}/${version}/files`, request, where);
  const archive = all.length === 1 && all[0]!.path.endsWith(".tar.gz") ? all[0] : undefined;
  if (archive !== undefined) {
    const path = join(context.folder, "archive.tar.gz");
    await downloadFile(context.net, new URL(`${variation}/${version}/download/${archive.path}`), path, request);
    const unpacked = await unpackTarGz(path, context.folder, context);
    chooseFiles(
      unpacked.map((file) => ({ path: file.name })),
      where,
      () => "it holds several models",
    );
    return { files: unpacked, origin: where };
  }
  const chosen = chooseFiles(all, where, () => "its variation holds several models; give the https address of one");
  const files: PulledFile[] = [];
  for (const { path } of chosen) {
    const name = expectFileName(basename(path), where);
    const url = new URL(`${variation}/${version}/download/${path}`);
    const file = await downloadFile(context.net, url, join(context.folder, name), request);
    if (name.endsWith(".gguf")) await expectGguf(join(context.folder, name), where);
    files.push({ name, ...file, checkedAgainst: "none" }); // Kaggle publishes no SHA-256
  }
  return { files, origin: where };
}

async function newestVersion(context: SourceContext, url: URL, request: FetchJsonOptions): Promise<number> {
  const answer = expectObject(await fetchJson(context.net, url, request), "kaggle");
  return getInteger(answer, "versionNumber", "kaggle");
}

async function listFiles(
  context: SourceContext,
  base: string,
  request: FetchJsonOptions,
  where: string,
): Promise<{ path: string }[]> {
  const files: { path: string }[] = [];
  let token = "";
  for (let page = 0; page < MAX_PAGES; page++) {
    const next = token === "" ? "" : `&page_token=${encodeURIComponent(token)}`;
    const answer = expectObject(await fetchJson(context.net, new URL(`${base}?page_size=25${next}`), request), where);
    for (const item of getArray(answer, "files", where)) {
      files.push({ path: getString(expectObject(item, where), "name", where) });
    }
    const more = answer.get("nextPageToken");
    if (typeof more !== "string" || more === "") break;
    token = more;
  }
  return files.filter((file) => file.path.split("/").every(isFileName));
}

function explainStatus(status: number, spec: KaggleSpec, site: URL, hasKey: boolean): GemmaError | undefined {
  const page = `${site.origin}/models/${spec.owner}/${spec.model}`;
  if (status === 401 || status === 403) {
    const got = hasKey ? "credentials without access" : "no credentials";
    return new GemmaError("ERR_GATED", `${describeSpec(spec)}: needs a login and an accepted licence, got ${got}`, {
      hint: `accept the licence at ${page}, then: export KAGGLE_USERNAME=... KAGGLE_KEY=... (${site.origin}/settings)`,
    });
  }
  if (status === 404) {
    return new GemmaError("ERR_UNKNOWN_MODEL", `${describeSpec(spec)}: must be a model on Kaggle, got status 404`, {
      hint: `look at ${page}`,
    });
  }
  return undefined;
}

/** `KAGGLE_USERNAME` and `KAGGLE_KEY`, else kaggle.json in `KAGGLE_CONFIG_DIR` or ~/.kaggle. */
async function findCredentials(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  if (env.KAGGLE_USERNAME && env.KAGGLE_KEY) return basic(env.KAGGLE_USERNAME, env.KAGGLE_KEY);
  const path = join(env.KAGGLE_CONFIG_DIR || join(env.HOME || homedir(), ".kaggle"), "kaggle.json");
  const bytes = await readFile(path).catch(() => undefined);
  if (bytes === undefined) return undefined;
  const json = expectObject(parseJson(bytes, path), path);
  return basic(getString(json, "username", path), getString(json, "key", path));
}

function basic(user: string, key: string): string {
  return `Basic ${Buffer.from(`${user}:${key}`).toString("base64")}`;
}
