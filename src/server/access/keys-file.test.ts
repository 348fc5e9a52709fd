import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { KeyRing } from "./keys.js";
import { addKey, defaultKeysFile, listKeys, readKeys, removeKey } from "./keys-file.js";

let folder = "";
let path = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gemma-keys-"));
  path = join(folder, "below", "keys.json");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("keys file: keys are added, listed and removed; only their owner may read it", async () => {
  expect(await readKeys(path)).toBeUndefined();
  expect(await listKeys(path)).toEqual([]);
  const one = await addKey(path, "one", { scopes: ["metrics"] });
  const two = await addKey(path, "two");
  expect(await listKeys(path)).toEqual([one.stored, two.stored]);
  expect(new KeyRing(await listKeys(path)).find(two.text)).toEqual(two.stored);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readFileSync(path, "utf8")).not.toContain(one.text.slice(12));

  expect(await removeKey(path, one.stored.id)).toEqual(one.stored);
  expect(await listKeys(path)).toEqual([two.stored]);
  await expect(removeKey(path, one.stored.id)).rejects.toMatchObject({ code: "ERR_INVALID_VALUE" });
  expect(readdirSync(join(folder, "below"))).toEqual(["keys.json"]);
});

test("keys file: writers at the same time lose nothing", async () => {
  const names = ["a", "b", "c", "d"];
  await Promise.all(names.map((name) => addKey(path, name)));
  expect((await listKeys(path)).map(({ name }) => name).sort()).toEqual(names);
});

test("keys file: a damaged one is not written over", async () => {
  const damaged = join(folder, "damaged.json");
  writeFileSync(damaged, '{"version":1');
  await expect(addKey(damaged, "x")).rejects.toMatchObject({ code: "ERR_INVALID_JSON" });
  expect(readFileSync(damaged, "utf8")).toBe('{"version":1');
});

test("keys file: a folder in its place is told", async () => {
  await expect(addKey(folder, "x")).rejects.toMatchObject({ code: "ERR_IO" });
});

test("keys file: lies in the cache folder by default", () => {
  expect(defaultKeysFile({ GEMMA_HOME: "/somewhere" })).toBe("/somewhere/server-keys.json");
});
