import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fromSystemError } from "../base/errors.js";
import { fileSource } from "./file-source.js";
import { type FileTree, type OpenFiles, readWhole, withFilesOf } from "./file-tree.js";

/** The disk. */
export const disk: FileTree = {
  open: fileSource,
  exists: existsSync,
  isFolder(path) {
    try {
      return statSync(path).isDirectory();
    } catch (error) {
      throw fromSystemError(error, path);
    }
  },
  names(folder) {
    try {
      return readdirSync(folder);
    } catch (error) {
      throw fromSystemError(error, folder);
    }
  },
  join,
  dirname,
  basename,
};

/** Runs `build` with a set of open files of the disk, and closes them if it throws. */
export function withFiles<T>(build: (files: OpenFiles) => T): T {
  return withFilesOf(disk, build);
}

/** The whole of a small file of the disk. @throws ERR_MISSING_FILE, ERR_IO, ERR_LIMIT_EXCEEDED */
export function readFile(path: string, maxBytes: number): Uint8Array {
  return readWhole(disk, path, maxBytes);
}

/** The first of `paths` that exists on the disk. */
export function firstExisting(paths: readonly string[]): string | undefined {
  return paths.find((path) => existsSync(path));
}
