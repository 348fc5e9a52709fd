import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startServer, type TestServer, testNet } from "../../test/helpers/https-server.js";
import { serveHub } from "../../test/helpers/hub-server.js";
import { TINY } from "../../test/helpers/tiny-models.js";
import { parseDatasetSpec } from "../load/dataset-spec.js";
import { loadVocabulary, openCheckpoint } from "../load/open.js";
import { pullDatasets } from "../load/pull-dataset.js";
import { Tokenizer } from "../tokenizer/tokenizer.js";
import { parseTuneConfig, type TuneOptions } from "../tune/run/config.js";
import { prepareData } from "../tune/run/prepare-data.js";
import { dataNames, openData, type TuneData } from "./tune-data.js";

let home: string;
let server: TestServer;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "gemma-home-"));
  const rows = Array.from({ length: 4 }, (_, i) => `${JSON.stringify({ question: `${i}?`, answer: `${i}!` })}\n`);
  server = await startServer(serveHub({ "me/answers@main": { "train.jsonl": Buffer.from(rows.join("")) } }));
  const env = { HOME: home, HF_ENDPOINT: `https://hub.example:${server.port}` };
  await pullDatasets([parseDatasetSpec("hf:datasets/me/answers:train")], { home, env }, { net: () => testNet() });
});

afterEach(async () => {
  await server.close();
  await rm(home, { recursive: true, force: true });
});

async function prepare(data: TuneData, options: TuneOptions = {}, heldOutData: TuneData = []) {
  const checkpoint = openCheckpoint(TINY.gemma3);
  const tokenizer = Tokenizer.fromVocabulary(loadVocabulary(checkpoint));
  checkpoint.close();
  const config = { ...parseTuneConfig(options), template: "none" as const };
  return prepareData(await openData({ data, heldOutData }, { home, offline: true }), tokenizer, config);
}

const QUESTIONS = { columns: { prompt: "question", completion: "answer" } };

test.each(["hf:me/answers:train", "hf:datasets/me/answers:train"])("a data set of the hub: %s", async (name) => {
  const { train, lengths } = await prepare([name], QUESTIONS);
  expect(train.map(({ at }) => at)).toEqual([0, 1, 2, 3].map((i) => `hf:datasets/me/answers:train[${i}]`));
  expect(lengths.examples).toBe(4);
});

test("a wrong name is shown as it was given", async () => {
  await expect(prepare(["hf:answers"])).rejects.toMatchObject({
    code: "ERR_USAGE",
    message: 'data set: must be hf:datasets/OWNER/NAME[@REVISION][:[CONFIG/]SPLIT], got "hf:answers"',
  });
});

test("examples are drawn, or given apart", async () => {
  const drawn = await prepare(["hf:me/answers:train"], { ...QUESTIONS, heldOutShare: 0.25 });
  expect([drawn.train.length, drawn.heldOut.length]).toEqual([3, 1]);
  expect(drawn.heldOutLengths!.examples).toBe(1);
  const given = await prepare(["hf:me/answers:train"], QUESTIONS, [{ question: "x?", answer: "y" }]);
  expect([given.train.length, given.heldOut.map(({ at }) => at)]).toEqual([4, ["rows[0]"]]);
  expect([drawn.learnedHeldOut, given.learnedHeldOut]).toEqual([0, 0]);
  const learned = await prepare(["hf:me/answers:train"], QUESTIONS, [{ question: "1?", answer: "1! " }]);
  expect(learned.learnedHeldOut).toBe(1);
});

test("files keep their whole path, and data sets their name", () => {
  expect(dataNames(["a.jsonl", "hf:me/answers"])).toEqual([resolve("a.jsonl"), "hf:me/answers"]);
  expect(dataNames([{ text: "a" }])).toBe(null);
  expect(dataNames([])).toEqual([]);
  expect(() => dataNames(["a.jsonl", { text: "a" }] as unknown as TuneData)).toThrow("all names or all rows, got both");
});
