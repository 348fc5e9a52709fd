import { gzipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { badCaseBytes, badCases, expectCase } from "../../test/bad-cases.js";
import { type TarEntry, tarOf } from "../../test/tar.js";
import { GemmaError } from "../base/errors.js";
import { ARCHIVE_LIMITS } from "./archive.js";
import { bytesSource } from "./byte-source.js";
import { crc32 } from "./crc32.js";
import { readTarGz } from "./tar.js";
import { listZip, readZipEntry } from "./zip.js";

const limits = { ...ARCHIVE_LIMITS, maxTotalBytes: 20_000_000 };

/** Unpacks everything; name to text. */
function unpack(name: string, bytes: Uint8Array): Record<string, string> {
  const source = bytesSource(name, bytes);
  const files: Record<string, string> = {};
  const add = (file: string, piece: Uint8Array) => {
    files[file] = (files[file] ?? "") + new TextDecoder().decode(piece);
  };
  if (name.endsWith(".zip")) {
    for (const entry of listZip(source, limits)) {
      for (const piece of readZipEntry(source, entry)) add(entry.name, piece);
    }
  } else {
    for (const { entry, bytes: piece } of readTarGz(source, () => true, limits)) add(entry.name, piece);
  }
  return files;
}

function caseBytes(id: string): Uint8Array {
  return badCaseBytes(badCases("archive").find((c) => c.id === id)!);
}

describe("archives", () => {
  it.each(badCases("archive").map((c) => [c.id, c] as const))("%s", (_, badCase) => {
    expectCase(badCase, () => unpack(badCase.path, badCaseBytes(badCase)));
  });

  it("unpack what was packed", () => {
    expect(unpack("control.zip", caseBytes("archive/control.zip"))).toEqual({ "config.json": "{}", "sub/x.txt": "x" });
    expect(unpack("control.tar.gz", caseBytes("archive/control.tar.gz"))).toEqual({ "config.json": "{}" });
  });

  it("cut at any byte are refused", () => {
    for (const id of ["archive/control.zip", "archive/control.tar.gz"]) {
      const bytes = caseBytes(id);
      for (let length = 0; length < bytes.length; length++) {
        expect(() => unpack(id, bytes.subarray(0, length)), `${id} cut at ${length}`).toThrow(GemmaError);
      }
    }
  });

  it("give out only the files that are wanted", () => {
    const pieces = [...readTarGz(bytesSource("t", caseBytes("archive/control.tar.gz")), () => false)];
    expect(pieces).toEqual([]);
  });
});

describe("listZip", () => {
  const zip = (edit: (view: DataView, central: number) => void) => {
    const bytes = new Uint8Array(caseBytes("archive/control.zip"));
    const view = new DataView(bytes.buffer);
    edit(view, view.getUint32(bytes.length - 6, true));
    return () => unpack("edited.zip", bytes);
  };

  it.each([
    ["zip64 sizes", (v: DataView, c: number) => v.setUint32(c + 24, 0xffff_ffff, true), "ERR_UNSUPPORTED_OPTION"],
    ["a password", (v: DataView, c: number) => v.setUint16(c + 8, 1, true), "ERR_UNSUPPORTED_OPTION"],
    ["LZMA", (v: DataView, c: number) => v.setUint16(c + 10, 14, true), "ERR_UNSUPPORTED_OPTION"],
    ["a symbolic link", (v: DataView, c: number) => v.setUint32(c + 38, 0o120777 * 65_536, true), "ERR_PATH_ESCAPE"],
    ["a size of 4 GB", (v: DataView, c: number) => v.setUint32(c + 24, 0xffff_fffe, true), "ERR_LIMIT_EXCEEDED"],
    ["a packed size beyond the file", (v: DataView, c: number) => v.setUint32(c + 20, 1 << 30, true), "ERR_OVERLAP"],
    ["another local name", (v: DataView) => v.setUint8(30, 0x78), "ERR_INVALID_HEADER"],
    ["a smaller size", (v: DataView, c: number) => v.setUint32(c + 24, 1, true), "ERR_CHECKSUM"],
    ["another CRC", (v: DataView, c: number) => v.setUint32(c + 16, 1, true), "ERR_CHECKSUM"],
  ] as const)("refuses %s", (_, edit, code) => {
    expect(zip(edit)).toThrow(expect.objectContaining({ code }));
  });
});

describe("readTarGz", () => {
  const packed = (...entries: readonly TarEntry[]) => gzipSync(tarOf(...entries));

  it("reads what `tar c .` writes, over several blocks", () => {
    const long = "0123456789".repeat(300);
    const bytes = packed(
      { name: "./", type: "5" },
      { name: "./config.json", content: "{}" },
      { name: "pax", type: "x", content: "20 mtime=1700000000\n" },
      { name: "./sub/", type: "5" },
      { name: "./sub/long.txt", content: long },
    );
    expect(unpack("dot.tar.gz", bytes)).toEqual({ "config.json": "{}", "sub/long.txt": long });
  });

  it.each([
    ["a hard link", [{ name: "l", type: "1" }], "ERR_PATH_ESCAPE"],
    ["an absolute name", [{ name: "/etc/passwd" }], "ERR_PATH_ESCAPE"],
    ["dots behind dots", [{ name: "././../x" }], "ERR_PATH_ESCAPE"],
    ["a device", [{ name: "d", type: "3" }], "ERR_UNSUPPORTED_OPTION"],
    ["a GNU long name", [{ name: "n", type: "L", content: "x" }], "ERR_UNSUPPORTED_OPTION"],
    ["a pax path", [{ name: "p", type: "x", content: "15 path=../../x\n" }], "ERR_UNSUPPORTED_OPTION"],
    ["a name twice", [{ name: "a" }, { name: "./a" }], "ERR_DUPLICATE_NAME"],
    ["a file without a name", [{ name: "./" }, { name: "" }], "ERR_INVALID_NAME"],
    ["a large pax header", [{ name: "p", type: "g", content: "x".repeat(70_000) }], "ERR_LIMIT_EXCEEDED"],
  ] as const)("refuses %s", (_, entries, code) => {
    expect(() => unpack("t.tar.gz", packed(...entries))).toThrow(expect.objectContaining({ code }));
  });

  it("refuses a bomb, a wrong CRC and a wrong header checksum", () => {
    const bomb = gzipSync(new Uint8Array(4_000_000));
    expect(() => unpack("b.tar.gz", bomb)).toThrow(expect.objectContaining({ code: "ERR_LIMIT_EXCEEDED" }));
    const crc = packed({ name: "a", content: "x" });
    crc[crc.length - 8]! ^= 1;
    expect(() => unpack("c.tar.gz", crc)).toThrow(expect.objectContaining({ code: "ERR_CHECKSUM" }));
    const tar = tarOf({ name: "a", content: "x" });
    tar[0] = 0x62;
    expect(() => unpack("h.tar.gz", gzipSync(tar))).toThrow(expect.objectContaining({ code: "ERR_CHECKSUM" }));
  });
});

it("crc32 gives the check value of its definition, in one go or in two", () => {
  const bytes = new TextEncoder().encode("123456789");
  expect(crc32(bytes)).toBe(0xcbf43926);
  expect(crc32(bytes.subarray(4), crc32(bytes.subarray(0, 4)))).toBe(0xcbf43926);
});
