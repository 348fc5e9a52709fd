import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { tempFolder } from "../../test/helpers/tune-runs.js";
import { inRunFolder } from "./run-place.js";

const { signal } = new AbortController();
const full = () => Promise.reject(Object.assign(new Error("write"), { code: "ENOSPC" }));

test("what the disk says is told by the run's folder", async () => {
  const out = join(tempFolder(), "run");
  await expect(inRunFolder(out, signal, full)).rejects.toMatchObject({
    code: "ERR_DISK_FULL",
    message: `${out}: no space left on the device`,
    hint: "free some space, or write to another disk",
  });
});

test("a folder that was made for nothing goes; one that was there, or has something, stays", async () => {
  const folder = tempFolder();
  const [made, empty, begun] = [join(folder, "made"), join(folder, "empty"), join(folder, "begun")];
  mkdirSync(empty);
  await expect(inRunFolder(made, signal, full)).rejects.toThrow();
  await expect(inRunFolder(empty, signal, full)).rejects.toThrow();
  const begin = async () => {
    writeFileSync(join(begun, "config.json"), "{}");
    return full();
  };
  await expect(inRunFolder(begun, signal, begin)).rejects.toThrow();
  expect(existsSync(made)).toBe(false);
  expect(readdirSync(empty)).toEqual([]);
  expect(readdirSync(begun)).toEqual(["config.json"]);
});

test("a second process is refused, and takes nothing away", async () => {
  const out = join(tempFolder(), "run");
  await inRunFolder(out, signal, async () => {
    await expect(inRunFolder(out, signal, async () => {})).rejects.toMatchObject({
      code: "ERR_USAGE",
      message: `${out}: must have one process that tunes in it, got a second one`,
    });
    expect(existsSync(join(out, "tune.lock"))).toBe(true);
  });
});
