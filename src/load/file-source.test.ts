import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { fileSource } from "./file-source.js";

const folder = mkdtempSync(join(tmpdir(), "gemma-file-source-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe("fileSource", () => {
  it("reads ranges by offset", () => {
    const source = fileSource(file("a", "hello world"));
    expect(source.sizeBytes).toBe(11);
    expect(new TextDecoder().decode(source.read(6, 5))).toBe("world");
    expect(source.read(11, 0)).toHaveLength(0);
    source.close();
  });

  it("reads into a buffer that is large enough, else into fresh memory", () => {
    const source = fileSource(file("buffer", "hello world"));
    const buffer = new Uint8Array(5);
    const read = source.read(6, 4, buffer);
    expect(read.buffer).toBe(buffer.buffer);
    expect(new TextDecoder().decode(read)).toBe("worl");
    expect(new TextDecoder().decode(source.read(0, 6, buffer))).toBe("hello ");
    expect(new TextDecoder().decode(buffer.subarray(0, 4))).toBe("worl");
    source.close();
  });

  it("refuses ranges beyond the end, and use after close", () => {
    const source = fileSource(file("b", "hello"));
    expect(() => source.read(3, 3)).toThrow(expect.objectContaining({ code: "ERR_TRUNCATED" }));
    expect(() => source.read(-1, 1)).toThrow(expect.objectContaining({ code: "ERR_OUT_OF_BOUNDS" }));
    expect(() => source.read(2 ** 60, 1)).toThrow(expect.objectContaining({ code: "ERR_OUT_OF_BOUNDS" }));
    source.close();
    source.close();
    expect(() => source.read(0, 1)).toThrow(expect.objectContaining({ code: "ERR_DISPOSED" }));
  });

  it("throws when the file shrinks while it is open", () => {
    const path = file("c", "0123456789");
    const source = fileSource(path);
    truncateSync(path, 4);
    expect(() => source.read(0, 10)).toThrow(expect.objectContaining({ code: "ERR_TRUNCATED" }));
    source.close();
  });

  it("throws when a sparse file asks for more memory than there is", () => {
    const path = file("d", "");
    truncateSync(path, 2 ** 42);
    const source = fileSource(path);
    expect(() => source.read(0, 2 ** 42)).toThrow(expect.objectContaining({ code: "ERR_OUT_OF_MEMORY" }));
    source.close();
  });

  it("refuses a missing file and a directory", () => {
    expect(() => fileSource(join(folder, "none"))).toThrow(expect.objectContaining({ code: "ERR_MISSING_FILE" }));
    expect(() => fileSource(folder)).toThrow(expect.objectContaining({ code: "ERR_IO" }));
  });

  it.skipIf(process.platform === "win32")("refuses a FIFO without waiting for a writer", () => {
    const path = join(folder, "fifo");
    execFileSync("mkfifo", [path]);
    expect(() => fileSource(path)).toThrow(expect.objectContaining({ code: "ERR_IO" }));
  });
});
