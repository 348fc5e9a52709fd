import { createHash, type Hash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fromSystemError, GemmaError } from "../../base/errors.js";
import { readTarGz } from "../../format/tar.js";
import type { PulledFile } from "../cache.js";
import { writeAll } from "../download.js";
import { fileSource } from "../file-source.js";
import { expectFileName } from "../names.js";
import { commitPart, expectFreeSpace, partPath } from "../partial.js";
import { startMeter } from "../progress.js";
import { isModelFile } from "./choose.js";
import type { SourceContext } from "./source.js";

/** A file that is being unpacked into `<dest>.part`, and hashed on the way. */
class PartWriter {
  sizeBytes = 0;
  private readonly hash: Hash = createHash("sha256");

  private constructor(
    private readonly dest: string,
    private readonly file: FileHandle,
  ) {}

  static async open(dest: string): Promise<PartWriter> {
    return new PartWriter(dest, await open(partPath(dest), "w"));
  }

  async write(piece: Uint8Array): Promise<void> {
    await writeAll(this.file, piece, this.sizeBytes);
    this.hash.update(piece);
    this.sizeBytes += piece.length;
  }

  close(): Promise<void> {
    return this.file.close();
  }

  /** @throws ERR_CHECKSUM */
  async commit(sha256: string | undefined): Promise<string> {
    const actual = this.hash.digest("hex");
    await commitPart(this.dest, actual, sha256, basename(this.dest));
    return actual;
  }
}

/**
 * Writes `pieces` to `dest`, which appears only when they have all arrived and their SHA-256 is right.
 */
export async function writePieces(
  dest: string,
  pieces: AsyncIterable<Uint8Array>,
  expected: { readonly sizeBytes: number; readonly sha256?: string | undefined },
  context: SourceContext,
): Promise<{ sizeBytes: number; sha256: string }> {
  await expectFreeSpace(dirname(dest), expected.sizeBytes);
  const meter = startMeter(context.onProgress, "unpack", basename(dest), expected.sizeBytes);
  const writer = await PartWriter.open(dest);
  try {
    for await (const piece of pieces) {
      context.signal.throwIfAborted();
      await writer.write(piece);
      meter.set(writer.sizeBytes);
    }
  } catch (error) {
    throw fromSystemError(error, dest);
  } finally {
    await writer.close();
  }
  const sha256 = await writer.commit(expected.sha256);
  meter.finish(writer.sizeBytes);
  return { sizeBytes: writer.sizeBytes, sha256 };
}

/**
 * Unpacks the model files of a .tar.gz into `folder`, all at its top; everything else in it is skipped.
 * @throws ERR_DUPLICATE_NAME for two files of one name in different folders, and the errors of readTarGz
 */
export async function unpackTarGz(archive: string, folder: string, context: SourceContext): Promise<PulledFile[]> {
  const writers = new Map<string, PartWriter>();
  const paths = new Map<string, string>();
  const source = fileSource(archive);
  const meter = startMeter(context.onProgress, "unpack", basename(archive), undefined);
  let done = 0;
  try {
    for (const { entry, bytes } of readTarGz(source, (found) => isModelFile(basename(found.name)))) {
      context.signal.throwIfAborted();
      const name = expectFileName(basename(entry.name), basename(archive));
      if ((paths.get(name) ?? entry.name) !== entry.name) {
        throw new GemmaError("ERR_DUPLICATE_NAME", `${basename(archive)}: must hold one ${name}, got two`);
      }
      paths.set(name, entry.name);
      let writer = writers.get(name);
      if (writer === undefined) {
        await expectFreeSpace(folder, entry.sizeBytes);
        writer = await PartWriter.open(join(folder, name));
        writers.set(name, writer);
      }
      await writer.write(bytes);
      done += bytes.length;
      meter.set(done);
    }
  } catch (error) {
    throw fromSystemError(error, archive);
  } finally {
    source.close();
    for (const writer of writers.values()) await writer.close();
  }
  meter.finish(done);
  const files: PulledFile[] = [];
  for (const [name, writer] of writers) {
    files.push({ name, sizeBytes: writer.sizeBytes, sha256: await writer.commit(undefined), checkedAgainst: "none" });
  }
  return files;
}
