import { readFileSync } from "node:fs";
import { gzipSync } from "fflate";
import { describe } from "vitest";
import { itSurvives } from "../../test/fuzz.js";
import { tarOf } from "../../test/tar.js";
import { ARCHIVE_LIMITS } from "./archive.js";
import { bytesSource } from "./byte-source.js";
import { parseGguf } from "./gguf.js";
import { parseJson } from "./json.js";
import { parseSafetensors } from "./safetensors.js";
import { parseSafetensorsIndex } from "./safetensors-index.js";
import { safetensorsHeader } from "./safetensors-write.js";
import { sniffFormat } from "./sniff.js";
import { readTarGz } from "./tar.js";
import { listZip, readZipEntry } from "./zip.js";

const fixtures = new URL("../../test/fixtures/", import.meta.url);
const read = (path: string): Uint8Array => readFileSync(new URL(path, fixtures));
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const limits = { ...ARCHIVE_LIMITS, maxTotalBytes: 4_000_000 };

describe("fuzz", () => {
  const ggufFiles = ["meta-all-types", "shapes-align64", "q2_k"].map((name) => read(`gguf/types/${name}.gguf`));
  itSurvives("parseGguf", ggufFiles, (bytes) => parseGguf(bytesSource("fuzz", bytes)));

  const tensors = safetensorsHeader(
    [
      { name: "a", dtype: "F32", shape: [2, 3] },
      { name: "b", dtype: "BF16", shape: [4] },
    ],
    new Map([["format", "pt"]]),
  );
  const safetensors = new Uint8Array([...tensors, ...new Uint8Array(32)]);
  itSurvives("parseSafetensors", [safetensors], (bytes) => parseSafetensors(bytesSource("fuzz", bytes)));

  const json = text(
    '{"weight_map": {"a": "x-1.safetensors", "b\\u00e9": "y"}, "n": [1.5e3, -0, true, null, {"k": ""}]}',
  );
  itSurvives("parseJson", [json], (bytes) => parseJson(bytes, "fuzz"));
  itSurvives("parseSafetensorsIndex", [json], (bytes) => parseSafetensorsIndex(bytes, "fuzz"));

  itSurvives("listZip, readZipEntry", [read("bad/archive/control.zip")], (bytes) => {
    const source = bytesSource("fuzz", bytes);
    for (const entry of listZip(source, limits)) for (const _ of readZipEntry(source, entry));
  });

  // The tar layer is reached only through valid gzip: mutate inside, then pack.
  const tar = tarOf({ name: "folder/", type: "5" }, { name: "folder/file.txt", content: "hello" });
  const readAll = (bytes: Uint8Array) => [...readTarGz(bytesSource("fuzz", bytes), () => true, limits)];
  itSurvives("readTarGz, gzip", [gzipSync(tar)], readAll);
  itSurvives("readTarGz, tar", [tar], (bytes) => readAll(gzipSync(bytes)));

  itSurvives("sniffFormat", [...ggufFiles, safetensors, json, tar], sniffFormat);
});
