import { GemmaError } from "../base/errors.js";
import type { ByteSource } from "../format/byte-source.js";
import type { FileTree } from "../load/file-tree.js";

/** What an engine in a page can read: files that were given to it and files that it has opened, by made-up paths. */
export class WebTree implements FileTree {
  private readonly files = new Map<string, () => ByteSource>();

  add(path: string, open: () => ByteSource): void {
    this.files.set(path, open);
  }

  /** Forgets a file, or a folder with its files. */
  drop(path: string): void {
    for (const one of [...this.files.keys()]) if (one === path || this.dirname(one) === path) this.files.delete(one);
  }

  open(path: string): ByteSource {
    const open = this.files.get(path);
    if (open) return open();
    throw new GemmaError("ERR_MISSING_FILE", `${path}: no such file or directory`);
  }

  exists(path: string): boolean {
    return this.files.has(path) || this.namesIn(path).length > 0;
  }

  isFolder(path: string): boolean {
    if (this.files.has(path)) return false;
    return this.names(path).length > 0;
  }

  names(folder: string): readonly string[] {
    const names = this.namesIn(folder);
    if (names.length > 0) return names;
    throw new GemmaError("ERR_MISSING_FILE", `${folder}: no such file or directory`);
  }

  join(folder: string, name: string): string {
    return `${folder}/${name}`;
  }

  dirname(path: string): string {
    return path.slice(0, Math.max(0, path.lastIndexOf("/")));
  }

  basename(path: string): string {
    return path.slice(path.lastIndexOf("/") + 1);
  }

  private namesIn(folder: string): readonly string[] {
    const paths = [...this.files.keys()].filter((path) => this.dirname(path) === folder);
    return paths.map((path) => this.basename(path));
  }
}
