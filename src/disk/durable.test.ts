import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { removeFolder, replaceFile, replaceFolder, replaceJson, writeSlices } from "./durable.js";

const disk = vi.hoisted(() => ({ refusesFrom: "" }));
vi.mock("node:fs", async (original) => {
  const real = await original<typeof import("node:fs")>();
  const renameSync = (from: string, to: string) => {
    if (disk.refusesFrom !== "" && from.endsWith(disk.refusesFrom))
      throw Object.assign(new Error("no room"), { code: "ENOSPC" });
    real.renameSync(from, to);
  };
  return { ...real, renameSync };
});

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "gemma-disk-"));
});
afterEach(() => {
  disk.refusesFrom = "";
  fs.rmSync(folder, { recursive: true });
});

const at = (name: string) => join(folder, name);
const names = () => fs.readdirSync(folder).sort();
const fill = (content: string) => (part: string) => writeSlices(join(part, "a"), [Buffer.from(content)]);
const FULL = expect.objectContaining({ code: "ERR_DISK_FULL" });

describe("a file", () => {
  test("is replaced, and nothing else is left", async () => {
    await replaceFile(at("f"), "old");
    await replaceJson(at("f"), { a: 1 });
    expect(fs.readFileSync(at("f"), "utf8")).toBe('{\n  "a": 1\n}\n');
    expect(names()).toEqual(["f"]);
  });

  test("stays as it was where the new one cannot take its place", async () => {
    await replaceFile(at("f"), "old");
    disk.refusesFrom = ".part-f";
    await expect(replaceFile(at("f"), "new")).rejects.toThrow(FULL);
    expect(fs.readFileSync(at("f"), "utf8")).toBe("old");
    expect(names()).toEqual(["f"]);
  });
});

describe("a folder", () => {
  test("is replaced as a whole, also over what a killed process has left", async () => {
    fs.mkdirSync(at(".part-d"));
    fs.writeFileSync(at(".part-d/b"), "half");
    fs.mkdirSync(at("d"));
    fs.writeFileSync(at("d/c"), "old");
    await replaceFolder(at("d"), fill("new"));
    expect([names(), fs.readdirSync(at("d"))]).toEqual([["d"], ["a"]]);
  });

  test.each([
    ["what fills it fails", "", () => Promise.reject(new Error("no more"))],
    ["the new one cannot take its place", ".part-d", fill("new")],
    ["the old one cannot leave it", "/d", fill("new")],
  ])("stays as it was where %s", async (_, refusesFrom, work) => {
    await replaceFolder(at("d"), fill("old"));
    disk.refusesFrom = refusesFrom;
    await expect(replaceFolder(at("d"), work)).rejects.toThrow();
    expect(names()).toEqual(["d"]);
    expect(fs.readFileSync(at("d/a"), "utf8")).toBe("old");
  });

  test("is removed; one that is not there need not be", async () => {
    await replaceFolder(at("d"), fill("old"));
    removeFolder(at("d"));
    removeFolder(at("d"));
    expect(names()).toEqual([]);
  });
});
