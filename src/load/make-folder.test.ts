import { existsSync } from "node:fs";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeFolder } from "./make-folder.js";

test("a folder, with those above it, once or many times at once", async () => {
  const root = await mkdtemp(join(tmpdir(), "gemma-folder-"));
  try {
    const path = join(root, "a/b/c");
    await Promise.all([makeFolder(path), makeFolder(path), makeFolder(join(root, "a/b"))]);
    expect((await stat(path)).isDirectory()).toBe(true);
    await writeFile(join(root, "file"), "");
    await expect(makeFolder(join(root, "file/x"))).rejects.toMatchObject({ code: "ENOTDIR" });
  } finally {
    await rm(root, { recursive: true });
  }
});

const hasProc = existsSync("/proc/self");
if (!hasProc) console.warn("skipped: a folder that the system will not make, because there is no /proc");

test.skipIf(!hasProc)("where the system will not make one, an error and no endless loop", async () => {
  await expect(makeFolder("/proc/gemma/models")).rejects.toMatchObject({ code: "ENOENT" });
});
