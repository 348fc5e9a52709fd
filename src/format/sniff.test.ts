import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { foreignFormatError, sniffFormat } from "./sniff.js";

const fixtures = new URL("../../test/fixtures/", import.meta.url);
const text = (value: string) => Uint8Array.from(value, (c) => c.charCodeAt(0));

/** The local header of a ZIP's first entry. */
function zipStart(name: string): Uint8Array {
  return text(`PK\x03\x04${"\0".repeat(22)}${String.fromCharCode(name.length)}\0\0\0${name}data`);
}

describe("sniffFormat", () => {
  it.each([
    ["gguf/types/f32.gguf", "gguf"],
    ["gguf/types/expected.safetensors", "safetensors"],
    ["bad/archive/control.zip", "zip"],
    ["bad/archive/control.tar.gz", "gzip"],
  ])("%s is %s", (path, format) => {
    expect(sniffFormat(readFileSync(new URL(path, fixtures)))).toBe(format);
  });

  it.each([
    ["a pickle of protocol 2", text("\x80\x02}q\0."), "pickle"],
    ["a pickle of protocol 5", text("\x80\x05\x95"), "pickle"],
    ["a ZIP by torch.save", zipStart("archive/data.pkl"), "pickle"],
    ["a .keras file", zipStart("metadata.json"), "zip"],
    ["HDF5", text("\x89HDF\r\n\x1a\n"), "hdf5"],
    ["a Git LFS pointer", text("version https://git-lfs.github.com/spec/v1\noid sha256:1"), "git-lfs-pointer"],
    ["a web page", text("\n<!DOCTYPE html><html>"), "html"],
    ["nothing", new Uint8Array(0), "unknown"],
    ["JSON", text('{"a": 1}'), "unknown"],
  ] as const)("%s is %s", (_, bytes, format) => {
    expect(sniffFormat(bytes)).toBe(format);
  });
});

describe("foreignFormatError", () => {
  it("says what a pickle can do, and how to fetch a Git LFS file", () => {
    const pickle = foreignFormatError("pickle", "model.bin", "a safetensors file");
    expect(pickle.code).toBe("ERR_FORBIDDEN_FORMAT");
    expect(pickle.message).toMatch(/^model\.bin: must be a safetensors file, got .*pickle.*run code/);
    const pointer = foreignFormatError("git-lfs-pointer", "m", "a GGUF file");
    expect([pointer.code, pointer.hint]).toEqual(["ERR_INVALID_HEADER", "git lfs pull"]);
    expect(foreignFormatError("hdf5", "m", "a GGUF file").code).toBe("ERR_BAD_MAGIC");
  });
});
