import { GemmaError } from "../base/errors.js";
import type { ByteSource } from "../format/byte-source.js";
import { foreignFormatError, SNIFF_BYTES, sniffFormat } from "../format/sniff.js";

/** Where the files of models lie: a disk, or what a page was given and has stored. All of it is synchronous. */
export interface FileTree {
  /** @throws ERR_MISSING_FILE, ERR_IO */
  open(path: string): ByteSource;
  exists(path: string): boolean;
  /** @throws ERR_MISSING_FILE */
  isFolder(path: string): boolean;
  /** What lies in a folder, by name. @throws ERR_MISSING_FILE */
  names(folder: string): readonly string[];
  join(folder: string, name: string): string;
  dirname(path: string): string;
  basename(path: string): string;
}

/** Files that are open, to be closed together. */
export class OpenFiles {
  private readonly sources: ByteSource[] = [];

  constructor(private readonly tree: FileTree) {}

  /** Opens `path`; what is no file of the wanted format is refused with a word on what it seems to be. */
  open(path: string, format: "gguf" | "safetensors"): ByteSource {
    const source = this.tree.open(path);
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
export function withFilesOf<T>(tree: FileTree, build: (files: OpenFiles) => T): T {
  const files = new OpenFiles(tree);
  try {
    return build(files);
  } catch (error) {
    files.close();
    throw error;
  }
}

/** The whole of a small file. @throws ERR_MISSING_FILE, ERR_IO, ERR_LIMIT_EXCEEDED */
export function readWhole(tree: FileTree, path: string, maxBytes: number): Uint8Array {
  const source = tree.open(path);
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
