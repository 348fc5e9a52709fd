import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { eventually } from "../../../test/helpers/trivial-server.js";
import { addKey, removeKey } from "./keys-file.js";
import { type OpenKeys, openKeys } from "./open-keys.js";

let folder = "";
let path = "";
let open: OpenKeys | undefined;
let said: string[] = [];
const note = (_: object, message: string) => void said.push(message);
const log = { debug: note, info: note, warn: note, error: note };
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gemma-keys-"));
  path = join(folder, "keys.json");
  said = [];
});
afterEach(() => {
  open?.close();
  rmSync(folder, { recursive: true, force: true });
});

test("openKeys: a file that was named must be there", async () => {
  await expect(openKeys(path, log)).rejects.toMatchObject({ code: "ERR_MISSING_FILE" });
});

test("openKeys: added and removed keys count in a server that runs", async () => {
  const one = await addKey(path, "one");
  open = await openKeys(path, log, 20);
  const { ring } = open!;
  expect(ring.find(one.text)).toEqual(one.stored);
  const two = await addKey(path, "two");
  await eventually(() => ring.find(two.text) !== null);
  await removeKey(path, one.stored.id);
  await eventually(() => ring.find(one.text) === null);
  await removeKey(path, two.stored.id);
  await eventually(() => ring.find(two.text) === null); // nobody: not everybody
});

test("openKeys: a file that is damaged or goes changes nothing", async () => {
  const { text } = await addKey(path, "one");
  open = await openKeys(path, log, 20);
  writeFileSync(path, "{");
  await eventually(() => said.length === 1);
  expect(open!.ring.find(text)).not.toBeNull();
  rmSync(path);
  await eventually(() => said.length === 2);
  expect(open!.ring.find(text)).not.toBeNull();
  expect(said[0]).toContain("the keys stay as they were");
});

test("openKeys: a file without keys lets nobody in, and says so", async () => {
  const { stored, text } = await addKey(path, "one");
  await removeKey(path, stored.id);
  open = await openKeys(path, log);
  expect(open!.ring.find(text)).toBeNull();
  expect(said).toEqual(["the keys file has no keys: nobody may call until one is added"]);
});
