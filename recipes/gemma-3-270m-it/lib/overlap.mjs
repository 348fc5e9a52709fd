import { readFileSync } from "node:fs";

/** Words in a row that two texts do not share by chance. */
const RUN = 10;
/** Questions of fewer words ("Who are you?") are anyone's. */
const SHORT = 4;

export const words = (text) => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];

function* runsOf(text) {
  const all = words(text);
  for (let i = 0; i + RUN <= all.length; i++) yield all.slice(i, i + RUN).join(" ");
}

/** All strings in a JSON value, but for its names of things. */
function* strings(value, key) {
  if (typeof value === "string") {
    if (!["id", "task", "task_id", "subject", "label", "type"].includes(key)) yield value;
  } else if (typeof value === "object" && value !== null) {
    for (const [name, inner] of Object.entries(value)) yield* strings(inner, Array.isArray(value) ? key : name);
  }
}

const PROMPTS = ["question", "prompt", "behavior", "goal", "sentence"];

/**
 * What must not be learned because it is measured with: of each conversation, the first test item that one of its
 * messages quotes (10 words in a row), or that its question is (4 words or more).
 */
export function testItems(files, conversations) {
  const runs = new Map();
  const questions = new Map();
  const add = (map, key, value) => map.set(key, [...(map.get(key) ?? []), value]);
  for (const conversation of conversations) {
    for (const { role, content } of conversation.messages) {
      for (const run of new Set(runsOf(content))) add(runs, run, conversation);
      const asked = words(content);
      if (role === "user" && asked.length >= SHORT) add(questions, asked.join(" "), conversation);
    }
  }
  const found = new Map();
  const note = (conversation, item) => found.has(conversation) || found.set(conversation, item);
  for (const path of files) {
    for (const line of readFileSync(path, "utf8").split("\n")) {
      if (line === "") continue;
      const row = JSON.parse(line);
      for (const text of strings(row)) {
        for (const run of runsOf(text)) for (const one of runs.get(run) ?? []) note(one, row.id);
      }
      for (const name of PROMPTS) {
        if (typeof row[name] !== "string") continue;
        for (const one of questions.get(words(row[name]).join(" ")) ?? []) note(one, row.id);
      }
    }
  }
  return found;
}

/** Of each conversation that an earlier one makes superfluous, the earlier one. */
export function repetitions(conversations) {
  const seen = [];
  const byQuestion = new Map();
  const found = new Map();
  for (const conversation of conversations) {
    const asked = words(textsOf(conversation, "user"));
    const key = asked.join(" ");
    const bag = new Set([...asked, ...words(textsOf(conversation, "assistant"))]);
    const earlier = byQuestion.get(key) ?? seen.find((one) => isNear(one.bag, bag))?.conversation;
    if (earlier !== undefined) found.set(conversation, earlier);
    else {
      byQuestion.set(key, conversation);
      if (bag.size >= 12) seen.push({ conversation, bag }); // two short ones may differ in the word that matters
    }
  }
  return found;
}

const textsOf = ({ messages }, wanted) =>
  messages
    .filter(({ role }) => role === wanted || (role === "system" && wanted === "user"))
    .map(({ content }) => content)
    .join("\n");

/** At least 85 % of the words that either has are words of both. */
function isNear(a, b) {
  const [small, large] = a.size < b.size ? [a, b] : [b, a];
  if (small.size < 0.85 * large.size) return false;
  let shared = 0;
  for (const word of small) if (large.has(word)) shared++;
  return shared >= 0.85 * (a.size + b.size - shared);
}
