import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { removeFolder } from "./remove-folder.mjs";

vi.mock("node:fs", async (original) => {
  const fs = await original();
  return { ...fs, rmSync: vi.fn(fs.rmSync) };
});

test("a folder that fills again while it is removed is removed again", async () => {
  const folder = mkdtempSync(join(tmpdir(), "gemma-remove-"));
  writeFileSync(join(folder, "a"), "");
  const isFull = Object.assign(new Error("it is full"), { code: "ENOTEMPTY" });
  vi.mocked(rmSync).mockImplementationOnce(() => {
    throw isFull;
  });
  await removeFolder(folder);
  expect(existsSync(folder)).toBe(false);
  expect(rmSync).toHaveBeenCalledTimes(2);
  await removeFolder(folder); // not there: nothing to do
});
