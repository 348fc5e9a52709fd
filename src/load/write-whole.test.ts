import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { expectTarget, writeWhole } from "./write-whole.js";

const scratch = mkdtempSync(join(tmpdir(), "gemma-write-"));
afterAll(() => rmSync(scratch, { recursive: true }));
const target = (name: string) => join(scratch, name);
const code = (name: string) => expect.objectContaining({ code: name });

describe("writeWhole", () => {
  it("writes slices that share a buffer, and counts them", async () => {
    function* slices() {
      const buffer = new Uint8Array(2);
      for (const value of [1, 2, 3]) yield buffer.fill(value);
    }
    const counts: number[] = [];
    await writeWhole(target("a"), slices(), { onBytes: (done) => counts.push(done) });
    expect([...readFileSync(target("a"))]).toEqual([1, 1, 2, 2, 3, 3]);
    expect(counts).toEqual([2, 4, 6]);
  });

  it("leaves the old file, and nothing else, when the slices fail", async () => {
    writeFileSync(target("b"), "old");
    function* slices() {
      yield new Uint8Array(8);
      throw new Error("no more");
    }
    await expect(writeWhole(target("b"), slices())).rejects.toThrow("no more");
    expect(readFileSync(target("b"), "utf8")).toBe("old");
    expect(readdirSync(scratch)).not.toContain("b.part");
  });

  it("asks for no slice once it is aborted", async () => {
    const aborted = AbortSignal.abort(new Error("stop"));
    const slices = (function* () {
      expect.unreachable();
      yield new Uint8Array(1);
    })();
    await expect(writeWhole(target("c"), slices, { signal: aborted })).rejects.toThrow("stop");
    expect(existsSync(target("c.part"))).toBe(false);
  });

  it("says that the disk is full", async ({ skip }) => {
    if (!existsSync("/dev/full")) skip("this system has no /dev/full");
    symlinkSync("/dev/full", target("d.part")); // takes no byte
    await expect(writeWhole(target("d"), [new Uint8Array(8)])).rejects.toThrow(code("ERR_DISK_FULL"));
    expect(readdirSync(scratch).filter((name) => name.startsWith("d"))).toEqual([]);
  });
});

describe("expectTarget", () => {
  it("refuses what exists, a folder that does not, and more than the disk holds", async () => {
    writeFileSync(target("e"), "");
    await expect(expectTarget(target("e"), 1, false)).rejects.toThrow(code("ERR_USAGE"));
    await expectTarget(target("e"), 1, true);
    await expectTarget(target("new"), 1, false);
    await expect(expectTarget(target("no/folder"), 1, false)).rejects.toThrow(code("ERR_MISSING_FILE"));
    await expect(expectTarget(target("new"), Number.MAX_SAFE_INTEGER, false)).rejects.toThrow(code("ERR_DISK_FULL"));
  });
});
