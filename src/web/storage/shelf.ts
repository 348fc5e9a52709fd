import { defined } from "../../base/defined.js";
import { macrotask } from "../../base/macrotask.js";
import { bytesSource } from "../../format/byte-source.js";
import { isModelName } from "../../load/names.js";
import { type OnProgress, startMeter } from "../../load/progress.js";
import type { LoadListener, ReadyModel } from "../../runtime/platform.js";
import type { GivenFile } from "../protocol.js";
import type { ModelFile } from "../source.js";
import type { WebTree } from "../tree.js";
import { download, type PartNote } from "./download.js";
import {
  fileIn,
  folderName,
  modelFolder,
  openSync,
  openSyncReader,
  readJson,
  removeIn,
  tryRoom,
  writeJson,
} from "./files.js";
import { expectRoom, noRoom, storageState } from "./quota.js";
import { FileSink, isQuotaError, MemorySink, withNumbers } from "./sink.js";
import { blobSource, syncFileSource } from "./sources.js";
import { findStored, MANIFEST, type StoredFile, UNDER_WAY, type WebManifest } from "./stored.js";

/** What is fetched. */
interface Order {
  readonly name: string;
  readonly origin: string;
  readonly base?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ShelfModel extends ReadyModel {
  /** The model that this is an adapter on. */
  readonly base?: string;
}

/** The stored models of a site, for one load. In workers. */
export class Shelf {
  /** @param root null: the browser stores nothing for this page, and models stay in memory */
  constructor(
    private readonly root: FileSystemDirectoryHandle | null,
    private readonly tree: WebTree,
    private readonly listener: LoadListener,
  ) {}

  /** A stored model, open to be read; undefined: it is not there, or not whole. */
  async open(name: string): Promise<ShelfModel | undefined> {
    const found = this.root && (await findStored(this.root, name));
    if (!found) return undefined;
    const { manifest, folder } = found;
    const open: { close(): void }[] = [];
    for (const file of manifest.files) {
      const path = pathOf(name, file.name, manifest.files.length);
      const reader = await openSyncReader(folder, file.name);
      const blob = reader ? undefined : await fileIn(folder, file.name);
      if (reader) open.push(reader);
      if (reader) this.tree.add(path, () => syncFileSource(path, reader));
      else if (blob) this.tree.add(path, () => blobSource(path, blob));
      else return undefined; // evicted just now
    }
    const release = () => {
      for (const one of open.splice(0)) one.close();
    };
    const path = manifest.base === undefined ? rootOf(name, manifest.files) : name;
    return { path, name, release, ...defined({ base: manifest.base }) };
  }

  /** Fetches what is missing of a model, and opens it. @param keep whether it is stored for the next visit */
  async fetch(order: Order, files: readonly ModelFile[], keep: boolean): Promise<ShelfModel> {
    if (this.root === null || !keep) return this.fetchToMemory(order, files);
    const totalBytes = files.reduce((sum, { sizeBytes = 0 }) => sum + sizeBytes, 0);
    return this.alone(order.name, totalBytes, async (root) => {
      const other = await this.open(order.name); // fetched by another tab while this one waited
      if (other !== undefined) return other;
      const missingBytes = totalBytes - (await this.storedBytes(root, order, files));
      await expectRoom(order.name, missingBytes);
      const folder = (await modelFolder(root, order.name, { create: true }))!;
      await tryRoom(folder, missingBytes);
      await removeIn(folder, MANIFEST); // of a model that was evicted in part
      const { name, origin } = order;
      const storedAt = new Date().toISOString();
      const known = files.map(({ name: file, sizeBytes = 0 }) => ({ name: file, sizeBytes }));
      const manifest: WebManifest = { name, origin, storedAt, files: known, ...defined({ base: order.base }) };
      await writeJson(folder, UNDER_WAY, manifest);
      const stored: StoredFile[] = [];
      for (const file of files) stored.push(await this.fetchFile(folder, order, file));
      await this.finish(folder, { ...manifest, files: stored });
      return (await this.open(name))!;
    });
  }

  /** What an earlier visit has left of it. */
  private async storedBytes(
    root: FileSystemDirectoryHandle,
    { name }: Order,
    files: readonly ModelFile[],
  ): Promise<number> {
    const folder = await modelFolder(root, name);
    if (folder === undefined) return 0;
    const sizes = await Promise.all(files.map(async (file) => (await fileIn(folder, file.name))?.size ?? 0));
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  /** Keeps the user's files. */
  async copy(name: string, files: readonly GivenFile[]): Promise<void> {
    const { root } = this;
    if (root === null) {
      this.listener.note(
        `${name}: this browser stores no files for this page; choose the file again at the next visit`,
      );
      return;
    }
    const total = files.reduce((sum, { blob }) => sum + blob.size, 0);
    await this.alone(name, total, async () => {
      await expectRoom(name, total);
      const folder = (await modelFolder(root, name, { create: true }))!;
      await tryRoom(folder, total);
      const meter = startMeter(this.progress, "unpack", name, total);
      let done = 0;
      const stored: StoredFile[] = [];
      for (const { name: file, blob } of files) {
        const handle = await openSync(folder, file);
        try {
          const sink = new FileSink(`${name}/${file}`, handle);
          sink.truncate(0);
          let at = 0;
          for await (const piece of piecesOf(blob)) {
            this.listener.signal.throwIfAborted();
            sink.write(piece, at);
            at += piece.length;
            done += piece.length;
            meter.set(done);
          }
          handle.flush();
          stored.push({ name: file, sizeBytes: at });
        } finally {
          handle.close();
        }
      }
      meter.finish(done);
      await this.finish(folder, { name, origin: "a file of yours", storedAt: new Date().toISOString(), files: stored });
    });
  }

  async discard(name: string): Promise<void> {
    if (this.root !== null) await removeIn(this.root, folderName(name));
  }

  private async finish(folder: FileSystemDirectoryHandle, manifest: WebManifest): Promise<void> {
    await writeJson(folder, MANIFEST, manifest);
    await removeIn(folder, UNDER_WAY);
    for (const { name } of manifest.files) await removeIn(folder, noteName(name));
  }

  private async fetchFile(folder: FileSystemDirectoryHandle, order: Order, file: ModelFile): Promise<StoredFile> {
    const what = `${order.name}/${file.name}`;
    const note = (await readJson(folder, noteName(file.name))) as PartNote | undefined;
    const handle = await openSync(folder, file.name);
    const sink = new FileSink(what, handle);
    try {
      const sizeBytes = await download({ ...file, label: file.name }, sink, {
        ...{ signal: this.listener.signal, onProgress: this.progress, headers: order.headers, note },
        keepNote: (kept) => writeJson(folder, noteName(file.name), kept),
        expectRoom: (bytes) => expectRoom(what, bytes),
      });
      return { name: file.name, sizeBytes, ...defined({ sha256: file.sha256 }) };
    } catch (error) {
      throw await withNumbers(error, what, (file.sizeBytes ?? 0) - sink.sizeBytes);
    } finally {
      handle.flush();
      handle.close();
    }
  }

  private async fetchToMemory(order: Order, files: readonly ModelFile[]): Promise<ShelfModel> {
    if (this.root === null) {
      this.listener.note(
        `${order.name}: this browser stores no files for this page; the model is fetched again at the next visit`,
      );
    }
    for (const file of files) {
      const path = pathOf(order.name, file.name, files.length);
      const sink = new MemorySink(path);
      await download({ ...file, label: file.name }, sink, {
        ...{ signal: this.listener.signal, onProgress: this.progress, headers: order.headers },
        keepNote: async () => {},
        expectRoom: async (bytes) => sink.reserve(sink.sizeBytes + bytes),
      });
      this.tree.add(path, () => bytesSource(path, sink.content));
    }
    const path = order.base === undefined ? rootOf(order.name, files) : order.name;
    return { path, name: order.name, release: () => this.tree.drop(order.name), ...defined({ base: order.base }) };
  }

  /** Runs `work`, which stores `bytes`, as the only tab that changes this model. */
  private async alone<T>(
    name: string,
    bytes: number,
    work: (root: FileSystemDirectoryHandle) => Promise<T>,
  ): Promise<T> {
    const root = this.root!;
    const { locks } = navigator as { locks?: LockManager };
    if (!locks) return told(name, bytes, work(root)); // the file itself is one tab's alone while it is open
    const lock = `gemma-ts:store:${folderName(name)}`;
    const { signal } = this.listener;
    const free = await locks.request(lock, { ifAvailable: true }, async (held) => {
      return held && { result: await told(name, bytes, work(root)) };
    });
    if (free !== null) return free.result;
    this.listener.note(`waiting for another tab that downloads ${name}`);
    startMeter(this.progress, "wait", name, undefined).finish(0);
    return locks.request(lock, { signal }, () => told(name, bytes, work(root)));
  }

  private readonly progress: OnProgress = ({ file, doneBytes, totalBytes, ...rest }) =>
    this.listener.progress({ ...rest, what: file, done: doneBytes, total: totalBytes ?? 0 });
}

/** Small files take room, too, and the browser's own error has no numbers. */
async function told<T>(name: string, bytes: number, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw isQuotaError(error) ? noRoom(name, bytes, await storageState()) : error;
  }
}

const noteName = (file: string) => `${file}.part`;

/** What messages call a file: addresses say it all themselves. */
function pathOf(name: string, file: string, count: number): string {
  return isModelName(name) || count > 1 ? `${name}/${file}` : name;
}

/** What is opened: the file itself where there is one, else their folder. */
function rootOf(name: string, files: readonly { readonly name: string }[]): string {
  return files.length === 1 ? pathOf(name, files[0]!.name, 1) : name;
}

async function* piecesOf(blob: Blob): AsyncGenerator<Uint8Array> {
  const step = 4 << 20;
  for (let at = 0; at < blob.size; at += step) {
    yield new Uint8Array(await blob.slice(at, at + step).arrayBuffer());
    await macrotask();
  }
}
