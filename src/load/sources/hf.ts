import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { GemmaError } from "../../base/errors.js";
import type { JsonObject } from "../../format/json.js";
import { expectObject, getArray, getString } from "../../format/json-read.js";
import type { PulledFile } from "../cache.js";
import { downloadFile } from "../download.js";
import { fetchJson } from "../fetch-json.js";
import { expectFileName, isFileName, parseDigest } from "../names.js";
import { describeSpec, parseHttpsUrl, type Spec } from "../spec.js";
import { chooseFiles, listPaths } from "./choose.js";
import { expectGguf } from "./https.js";
import type { Expectation, Fetched, SourceContext } from "./source.js";

type HfSpec = Extract<Spec, { kind: "hf" }>;

/** A file as the Hub lists it. Files in Git LFS come with their SHA-256. */
interface Sibling {
  readonly path: string;
  readonly sizeBytes: number | undefined;
  readonly sha256: string | undefined;
}

/** A model folder (config, tokenizer, safetensors) or one GGUF file from the Hugging Face Hub. */
export async function fetchHf(spec: HfSpec, expected: Expectation, context: SourceContext): Promise<Fetched> {
  const endpoint = parseHttpsUrl(context.env.HF_ENDPOINT || "https://huggingface.co");
  const base = endpoint.href.replace(/\/$/, "");
  const token = await findToken(context.env);
  const request = {
    ...context,
    authorization: token === undefined ? undefined : `Bearer ${token}`,
    allowHost: (host: string) =>
      host === endpoint.hostname ||
      host === "huggingface.co" ||
      host.endsWith(".huggingface.co") ||
      host.endsWith(".hf.co"),
    explainStatus: (status: number) => explainStatus(status, spec, base, token !== undefined),
  };

  const revision = encodeURIComponent(spec.revision);
  const api = new URL(`${base}/api/models/${spec.owner}/${spec.repo}/revision/${revision}?blobs=true`);
  const info = expectObject(await fetchJson(context.net, api, request), describeSpec(spec));
  const commit = getString(info, "sha", describeSpec(spec));
  if (!/^[0-9a-f]{40}$/.test(commit)) {
    throw new GemmaError("ERR_INVALID_VALUE", `${describeSpec(spec)}: sha must be a commit, got another text`);
  }
  const files: PulledFile[] = [];
  for (const sibling of pickFiles(spec, listSiblings(info, describeSpec(spec)))) {
    const name = expected.file?.name ?? expectFileName(basename(sibling.path), describeSpec(spec));
    const path = join(context.folder, name);
    const sha256 = expected.file?.sha256 ?? sibling.sha256;
    const witness = expected.file !== undefined ? "catalogue" : sha256 !== undefined ? "server" : "none";
    const url = new URL(`${base}/${spec.owner}/${spec.repo}/resolve/${commit}/${sibling.path}`);
    const sizeBytes = expected.file?.sizeBytes ?? sibling.sizeBytes;
    const file = await downloadFile(context.net, url, path, { ...request, sha256, sizeBytes });
    if (name.endsWith(".gguf")) await expectGguf(path, describeSpec(spec));
    files.push({ name, ...file, checkedAgainst: witness });
  }
  return { files, origin: describeSpec({ ...spec, revision: commit }) };
}

/** Only files whose paths are plain names all the way: the others are of no use to us. */
function listSiblings(info: JsonObject, where: string): Sibling[] {
  const all = getArray(info, "siblings", where).map((item) => {
    const sibling = expectObject(item, where);
    const size = sibling.get("size");
    const lfs = sibling.get("lfs");
    return {
      path: getString(sibling, "rfilename", where),
      sizeBytes: typeof size === "number" && Number.isSafeInteger(size) && size >= 0 ? size : undefined,
      sha256: lfs instanceof Map ? parseDigest(getString(lfs as JsonObject, "sha256", where), where) : undefined,
    };
  });
  return all.filter((sibling) => sibling.path.split("/").every(isFileName));
}

function pickFiles(spec: HfSpec, siblings: readonly Sibling[]): readonly Sibling[] {
  const where = describeSpec(spec);
  if (spec.file === undefined) {
    return chooseFiles(siblings, where, (path) => `for instance gemma pull hf:${spec.owner}/${spec.repo}:${path}`);
  }
  const found = siblings.filter((sibling) => sibling.path === spec.file);
  if (found.length > 0) return found;
  throw new GemmaError("ERR_MISSING_FILE", `${where}: must be in the repository, got ${listPaths(siblings)}`);
}

function explainStatus(status: number, spec: HfSpec, base: string, hasToken: boolean): GemmaError | undefined {
  const page = `${base}/${spec.owner}/${spec.repo}`;
  if (status === 401 || status === 403) {
    const got = hasToken ? "a token without access" : "no token";
    return new GemmaError("ERR_GATED", `${describeSpec(spec)}: needs a login and an accepted licence, got ${got}`, {
      hint: `accept the licence at ${page}, make a token at ${base}/settings/tokens, then: export HF_TOKEN=hf_...`,
    });
  }
  if (status === 404) {
    return new GemmaError(
      "ERR_UNKNOWN_MODEL",
      `${describeSpec(spec)}: must be a repository on the Hub, got status 404`,
      {
        hint: `look at ${page}; a private repository needs HF_TOKEN`,
      },
    );
  }
  return undefined;
}

/** The token of the usual variables and files. A file that cannot be read counts as none. */
async function findToken(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const direct = env.HF_TOKEN || env.HUGGING_FACE_HUB_TOKEN;
  const home = env.HF_HOME || join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), ".cache"), "huggingface");
  const text = direct || (await readFile(env.HF_TOKEN_PATH || join(home, "token"), "utf8").catch(() => ""));
  const token = text.trim();
  if (token === "") return undefined;
  // Anything else would break the header, and the error would show the token.
  if (!/^[\x21-\x7e]{1,512}$/.test(token)) {
    throw new GemmaError("ERR_USAGE", "HF_TOKEN: must be printable characters without spaces, got others");
  }
  return token;
}
