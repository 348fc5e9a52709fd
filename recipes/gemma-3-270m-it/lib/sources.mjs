import { fileURLToPath } from "node:url";

/** The conversations that this project wrote itself. */
export const OWN = { name: "own", licence: "Apache-2.0" };

/**
 * How often one is learned an epoch: own talk more often than others' longer texts, and most often who it is. But what it
 * is not, "No, …", comes up there all the time, and a model that says it too often says it to anything.
 */
export function copiesOf({ id, source, messages }) {
  if (source !== OWN.name) return 1;
  const denies = /^(No|Nein)\b/.test(messages.at(-1).content);
  if (id.startsWith("identity-") && !denies) return 4;
  return id.startsWith("safe-") ? 3 : 2;
}
export const OWN_FOLDER = fileURLToPath(new URL("../data", import.meta.url));

/** Tokens of a conversation at most: what is longer teaches a model of this size little for what it costs. */
export const MAX_TOKENS = 640;

/**
 * Sets of the data folder's `tuning/`, the better ones first: of two conversations that say the same, the earlier stays.
 * `limit`: so many at most, drawn by the seed. `maxTokens`: shorter than the rest, where length buys nothing.
 */
export const SOURCES = [
  { name: "llms_from_scratch_instructions", licence: "Apache-2.0" },
  {
    name: "self_instruct_human",
    licence: "Apache-2.0",
    // The other 252 are a test set of their authors.
    keep: ({ id }) => id.startsWith("seed_task_"),
  },
  {
    name: "dolly_hhrlhf_small",
    licence: "CC BY-SA 3.0, MIT",
    limit: 400,
    maxTokens: 480,
    keep: ({ messages }) => !CLUMSY.test(messages.at(-1).content),
  },
  {
    name: "german_dpr_instruct",
    licence: "CC BY 4.0",
    limit: 150,
    maxTokens: 320,
    // The answers are cut out of a text. One that begins in the middle of a sentence teaches to do so.
    keep: ({ messages }) => /^[\p{Lu}\d„"]/u.test(messages.at(-1).content),
  },
];

/** Another's voice, links to nowhere, footnotes of a text that is not there, and turns that ran together. */
const CLUMSY = /^(As an AI|A: )|https?:|\[\d+\]|\bHuman:/;

export const LEFT_OUT = {
  gpteacher_code: "written by GPT-4: its provider's terms do not let its output train other models",
  gsm8k_train: "a benchmark's training items: the regression set would no longer measure the same thing",
  llms_from_scratch_preferences:
    "its rejected sides are Llama's output, and its chosen ones are the instructions again",
  hh_rlhf_harmless_preferences: "many chosen answers are poor, some harmful themselves; refusals are the project's own",
  "self_instruct_human: user_oriented": "a test set of its authors",
};
