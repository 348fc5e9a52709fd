import { existsSync } from "node:fs";
import { GemmaError } from "../base/errors.js";
import type { ByteSource } from "../format/byte-source.js";
import { foreignFormatError, SNIFF_BYTES, sniffFormat } from "../format/sniff.js";
import { fileSource } from "./file-source.js";

/** Files that are open, to be closed together. */
export class OpenFiles {
  private readonly sources: ByteSource[] = [];

  /** Opens `path`; what is no file of the wanted format is refused with a word on what it seems to be. */
  open(path: string, format: "gguf" | "safetensors"): ByteSource {
    const source = fileSource(path);
    this.sources.push(source);
    const found = sniffFormat(source.read(0, Math.min(SNIFF_BYTES, source.sizeBytes)));
    // What is just broken is left to the format's reader: it says where.
    if (found === format || found === "unknown") return source;
    throw foreignFormatError(found, path, `a ${format === "gguf" ? "GGUF" : format} file`);
  }

  close(): void {
    for (const source of this.sources) source.close();
    this.sources.length = 0;
  }
}

/** Runs `build` with a set of open files, and closes them if it throws. */
export function withFiles<T>(build: (files: OpenFiles) => T): T {
  const files = new OpenFiles();
  try {
    return build(files);
  } catch (error) {
    files.close();
    throw error;
  }
}

/** The whole of a small file. @throws ERR_MISSING_FILE, ERR_IO, ERR_LIMIT_EXCEEDED */
export function readFile(path: string, maxBytes: number): Uint8Array {
  const source = fileSource(path);
  try {
    if (source.sizeBytes > maxBytes) {
      throw new GemmaError(
        "ERR_LIMIT_EXCEEDED",
        `${path}: must have at most ${maxBytes} bytes, got ${source.sizeBytes}`,
      );
    }
    return source.read(0, source.sizeBytes);
  } finally {
    source.close();
  }
}

/** The first of `paths` that exists. */
export function firstExisting(paths: readonly string[]): string | undefined {
  return paths.find((path) => existsSync(path));
}
