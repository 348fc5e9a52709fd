import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { withObservations } from "./observation-folder.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gemma-observations-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const file = () => join(folder, "observations.jsonl");
const add = (key: string, observed: unknown) =>
  withObservations(folder, {}, async ({ append }) => append({ key, observed }));
const known = () => withObservations(folder, {}, async ({ recorded }) => Object.fromEntries(recorded));

test("what was observed is there the next time, a line that was cut off is not", async () => {
  expect(await known()).toEqual({});
  await add("a", { text: "one\ntwo" });
  appendFileSync(file(), '{"key":"half","obs');
  await add("b", [{ nats: 0.1, tokens: 2 }]);
  expect(await known()).toEqual({ a: { text: "one\ntwo" }, b: [{ nats: 0.1, tokens: 2 }] });
  expect(readFileSync(file(), "utf8").split("\n")).toHaveLength(3);
});

test("a changed line is told with its number", async () => {
  await add("a", 1);
  appendFileSync(file(), '{"key":5}\n');
  await expect(known()).rejects.toMatchObject({
    code: "ERR_INVALID_JSON",
    message: `${file()}:2: must be an observation, got "{\\"key\\":5}"`,
  });
});
