import { deflateRawSync } from "node:zlib";
import { zipSync } from "fflate";
import { expect, test } from "vitest";
import { seededRng } from "../base/rng.js";
import { bytesSource } from "../format/byte-source.js";
import { listZip, readZipEntry, unpackZipEntry, type ZipEntry } from "../format/zip.js";
import { inflateNode } from "./inflate-node.js";

const rng = seededRng(7);
const data = Uint8Array.from({ length: 3_000_000 }, () => rng.integer(40));

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

function zipOf(level: 0 | 6): { source: ReturnType<typeof bytesSource>; entry: ZipEntry } {
  const source = bytesSource("x.zip", zipSync({ "a.bin": [data, { level }] }));
  return { source, entry: listZip(source)[0]! };
}

test.each([0, 6] as const)(
  "an entry packed at level %i: the same bytes as the portable inflater gives",
  async (level) => {
    const { source, entry } = zipOf(level);
    const unpacked = await collect(unpackZipEntry(source, entry, inflateNode));
    expect(unpacked.equals(data)).toBe(true);
    expect(unpacked.equals(Buffer.concat([...readZipEntry(source, entry)]))).toBe(true);
  },
);

test("another CRC, more or fewer bytes than announced are refused", async () => {
  const { source, entry } = zipOf(6);
  for (const wrong of [{ crc32: 1 }, { sizeBytes: 1000 }, { sizeBytes: data.length + 1 }]) {
    const unpacking = collect(unpackZipEntry(source, { ...entry, ...wrong }, inflateNode));
    await expect(unpacking).rejects.toMatchObject({ code: "ERR_CHECKSUM" });
  }
});

test("cut and damaged streams are refused, and a source's own error passes", async () => {
  const packed = deflateRawSync(data);
  await expect(collect(inflateNode([packed.subarray(0, 1000)], "x"))).rejects.toMatchObject({ code: "ERR_CHECKSUM" });
  await expect(collect(inflateNode([Buffer.alloc(100, 0xff)], "x"))).rejects.toMatchObject({ code: "ERR_CHECKSUM" });
  function* broken(): Generator<Uint8Array> {
    yield packed.subarray(0, 1000);
    throw new Error("the disk is gone");
  }
  await expect(collect(inflateNode(broken(), "x"))).rejects.toThrow("the disk is gone");
});
