import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fileSource } from "../../src/tune/data/file-source.ts";
import { readExamples } from "../../src/tune/data/read-examples.ts";
import { parseTuneConfig } from "../../src/tune/run/config.ts";
import { repetitions, testItems } from "./lib/overlap.mjs";
import { OWN_FOLDER } from "./lib/sources.mjs";

const files = readdirSync(OWN_FOLDER).map((name) => join(OWN_FOLDER, name));
const rowsOf = (path) =>
  readFileSync(path, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
const rows = files.flatMap(rowsOf);
const talk = (id, asked, answer) => ({
  id,
  messages: [
    { role: "user", content: asked },
    { role: "assistant", content: answer },
  ],
});

describe("the project's own conversations", () => {
  test("are read without a broken line", async () => {
    const { kind, examples } = await readExamples(await Promise.all(files.map(fileSource)));
    expect([kind, examples.length]).toEqual(["chat", rows.length]);
  });

  test("have an id each, their file's language, no loose blanks, and none says what another has said", () => {
    expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
    for (const path of files)
      expect(new Set(rowsOf(path).map(({ lang }) => lang))).toEqual(new Set([path.split(".").at(-2)]));
    const contents = rows.flatMap(({ messages }) => messages.map(({ content }) => content));
    expect(contents.filter((content) => content !== content.trim() || content === "")).toEqual([]);
    expect([...repetitions(rows)].map(([{ id }, earlier]) => [id, earlier.id])).toEqual([]);
  });

  test("are half German, and answer about as many harmless requests as they decline harmful ones", () => {
    const count = (keep) => rows.filter(keep).length;
    const german = count(({ lang }) => lang === "de") / rows.length;
    expect(german).toBeGreaterThan(0.45);
    expect(german).toBeLessThan(0.55);
    for (const lang of ["en", "de"]) {
      const [declined, answered] = ["refusals", "safe"].map((kind) =>
        count(({ id }) => id.startsWith(`${kind}-${lang}-`)),
      );
      expect(answered / declined).toBeGreaterThan(0.8);
    }
  });

  test("the instructions that are measured are 50 of each language", () => {
    const asked = rowsOf(join(OWN_FOLDER, "../measure/instructions.jsonl"));
    expect(["en", "de"].map((lang) => asked.filter((one) => one.lang === lang).length)).toEqual([50, 50]);
    const texts = new Map(rows.map(({ id, messages }) => [id, messages]));
    for (const { id, source, messages } of asked) if (source === "own") expect(texts.get(id)).toEqual(messages);
  });
});

test("the hyper-parameters of both recipes are such, and the adapter has at most 16 MB", () => {
  for (const name of ["gemma-3-270m-it", "banking-intents"]) {
    const path = join(OWN_FOLDER, "../..", name, "config.json");
    const { model, ...options } = JSON.parse(readFileSync(path, "utf8"));
    const { rank, targets } = parseTuneConfig(options, path);
    expect([model, targets.length]).toEqual(["gemma-3-270m", 7]);
    // In and out of q and o, k and v, gate, up and down; 18 blocks; 4 bytes a number.
    const widths = 2 * (640 + 1024) + 2 * (640 + 256) + 3 * (640 + 2048);
    expect(4 * rank * 18 * widths).toBeLessThanOrEqual(16e6);
  }
});

test("a repetition is the same question, or one that differs in a word of many", () => {
  const long = "a b c d e f g h i j k l m n o p";
  const all = [
    talk("1", "What is red?", "A colour."),
    talk("2", "what is RED", "Another answer."),
    talk("3", "What is blue?", "A colour."),
    talk("4", "Tell it", long),
    talk("5", "Tell it again", long),
    talk("6", "Tell it", `${long} q r s t u v w x`),
  ];
  const found = [...repetitions(all)].map(([{ id }, earlier]) => [id, earlier.id]);
  expect(found).toEqual([
    ["2", "1"],
    ["5", "4"],
    ["6", "4"],
  ]);
});

describe("test items", () => {
  let folder;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "recipe-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test("are found by their question, or by ten words in a row anywhere in them", () => {
    const path = join(folder, "items.jsonl");
    const items = [
      {
        id: "t1",
        question: "Why is the sky so blue?",
        choices: ["one two three four five six seven eight nine ten eleven"],
      },
      { id: "t2", prompt: "Who are you?", task: "a b c d e f g h i j" },
    ];
    writeFileSync(path, `${items.map((one) => JSON.stringify(one)).join("\n")}\n`);
    const all = [
      talk("question", "why is the sky so BLUE", "Light."),
      talk("quotes", "Count!", "Two three four, five six seven eight nine ten eleven."),
      talk("short", "Who are you?", "A model."),
      talk("nine", "Count!", "one two three four five six seven eight nine"),
      talk("names", "Count!", "a b c d e f g h i j"),
    ];
    expect([...testItems([path], all)].map(([{ id }, item]) => [id, item]).sort()).toEqual([
      ["question", "t1"],
      ["quotes", "t1"],
    ]);
  });
});
