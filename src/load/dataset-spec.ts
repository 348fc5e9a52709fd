import { createHash } from "node:crypto";
import { GemmaError } from "../base/errors.js";
import { show } from "./names.js";
import { isRevision, isSlug } from "./spec.js";

/** Rows of a data set on the Hugging Face hub: one split of one of its configurations. */
export interface DatasetSpec {
  readonly owner: string;
  readonly repo: string;
  /** Branch, tag or commit. Default: `main`, and where that holds no data files the hub's own conversion to Parquet. */
  readonly revision?: string;
  /** Default: the data set's only or default one. */
  readonly config?: string;
  /** Default: `train`. */
  readonly split?: string;
}

const PREFIX = "hf:datasets/";
const FORM = "hf:datasets/OWNER/NAME[@REVISION][:[CONFIG/]SPLIT]";

/** Whether `text` names a data set rather than a model. */
export function isDatasetSpec(text: string): boolean {
  return text.startsWith(PREFIX);
}

/**
 * @param asked what was asked for, where that is another form of `text`
 * @throws ERR_USAGE that shows the right form
 */
export function parseDatasetSpec(text: string, asked = text): DatasetSpec {
  const match = /^hf:datasets\/([^/@:]+)\/([^/@:]+)(?:@([^:]+))?(?::(?:([^/:]+)\/)?([^/:]+))?$/.exec(text);
  const [, owner = "", repo = "", revision, config, split] = match ?? [];
  const named = [config, split].filter((name) => name !== undefined);
  if (!isSlug(owner) || !isSlug(repo) || !named.every(isSlug) || (revision !== undefined && !isRevision(revision))) {
    throw new GemmaError("ERR_USAGE", `data set: must be ${FORM}, got ${show(asked)}`, {
      hint: "e.g. hf:datasets/openai/gsm8k:main/test",
    });
  }
  return {
    owner,
    repo,
    ...(revision === undefined ? {} : { revision }),
    ...(config === undefined ? {} : { config }),
    ...(split === undefined ? {} : { split }),
  };
}

/** The canonical text of a spec: it is shown and stored. */
export function describeDataset({ owner, repo, revision, config, split }: DatasetSpec): string {
  const part = [config, split ?? (config === undefined ? undefined : "train")].filter((name) => name !== undefined);
  const at = revision === undefined ? "" : `@${revision}`;
  return `${PREFIX}${owner}/${repo}${at}${part.length === 0 ? "" : `:${part.join("/")}`}`;
}

/** The folder in the cache: readable, and different for specs that differ in anything. */
export function datasetName(spec: DatasetSpec): string {
  const exact = describeDataset(spec);
  const hash = createHash("sha256").update(exact).digest("hex").slice(0, 8);
  const words = exact.toLowerCase().replace(/[^a-z0-9]+/g, "-");
  return `${words.slice(0, 54)}-${hash}`;
}
