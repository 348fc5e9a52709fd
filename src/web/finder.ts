import { defined } from "../base/defined.js";
import { GemmaError } from "../base/errors.js";
import { findEntry, GEMMA_TERMS } from "../load/catalogue.js";
import { openCheckpointIn } from "../load/checkpoint.js";
import type { LoadListener, ReadyModel } from "../runtime/platform.js";
import { findOffered, type OfferedModel, offeredModels } from "./offer.js";
import type { GivenFile, WebSettings } from "./protocol.js";
import { fileNameOf, type ModelFile, sourceOf } from "./source.js";
import { modelsFolder } from "./storage/files.js";
import { Shelf } from "./storage/shelf.js";
import type { WebTree } from "./tree.js";

/** Finds a model for one load: among what is stored, at an address, or among what the site offers. */
export class Finder {
  private readonly shelf: Promise<Shelf>;

  constructor(
    private readonly tree: WebTree,
    private readonly settings: WebSettings,
    private readonly isOffline: boolean,
    private readonly listener: LoadListener,
  ) {
    this.shelf = modelsFolder().then((root) => new Shelf(root, tree, listener));
  }

  /** @throws ERR_UNKNOWN_MODEL, ERR_OFFLINE, and what downloads throw */
  async find(text: string): Promise<ReadyModel> {
    const shelf = await this.shelf;
    const source = sourceOf(text, this.settings.models);
    const stored = await shelf.open(source.name);
    if (stored !== undefined) {
      if (stored.base === undefined) return stored;
      return onBase(await this.find(stored.base), stored, stored.base);
    }
    if (this.isOffline) {
      throw new GemmaError("ERR_OFFLINE", `${text}: must be stored while offline mode is on, got no whole copy here`);
    }
    if (source.url !== undefined) {
      const file = { ...source, name: fileNameOf(source.url) };
      return this.fetch(source.name, [file], source.name);
    }
    const offered = await offeredModels(this.offer());
    return this.fetchOffered(findOffered(text, offered, this.settings.models), offered);
  }

  /** The user's own files, kept if that was asked for. */
  async take(path: string, files: readonly GivenFile[]): Promise<ReadyModel> {
    if (this.settings.store === true) await (await this.shelf).copy(path, files);
    return { path, name: path };
  }

  private async fetchOffered(model: OfferedModel, offered: readonly OfferedModel[]): Promise<ReadyModel> {
    if (findEntry(model.name) !== undefined) this.listener.note(GEMMA_TERMS);
    const folder = new URL(`${model.name}/`, this.settings.models);
    const files = model.files.map((file) => ({ ...file, url: new URL(file.name, folder) }));
    if (model.base === undefined) return this.fetch(model.name, files, folder.href);
    const base = await this.find(findOffered(model.base, offered, this.settings.models).name);
    const adapter = await this.fetch(model.name, files, folder.href, model.base);
    return onBase(base, adapter, model.base);
  }

  private async fetch(name: string, files: readonly ModelFile[], origin: string, base?: string): Promise<ReadyModel> {
    const shelf = await this.shelf;
    const keep = this.settings.store ?? true;
    const headers = this.settings.headers;
    const ready = await shelf.fetch({ name, origin, ...defined({ base, headers }) }, files, keep);
    // Nobody knew what the file must be: a download that was cut, or a page in its place, must not stay.
    if (base === undefined && files.some(({ sha256 }) => sha256 === undefined)) {
      await this.expectSound(ready, keep ? shelf : null);
    }
    return ready;
  }

  /** @param shelf what keeps it, if it is kept */
  private async expectSound(ready: ReadyModel, shelf: Shelf | null): Promise<void> {
    try {
      openCheckpointIn(this.tree, ready.path).close();
    } catch (error) {
      ready.release?.(); // a file that is open cannot be removed
      await shelf?.discard(ready.name).catch((cause) => {
        this.listener.note(`${ready.name}: could not be removed from this site's storage: ${String(cause)}`);
      });
      throw error;
    }
  }

  private offer() {
    return { models: this.settings.models, headers: this.settings.headers, signal: this.listener.signal };
  }
}

/** An adapter and the model that it is on, as one. */
function onBase(base: ReadyModel, adapter: ReadyModel, baseName: string): ReadyModel {
  const release = () => {
    base.release?.();
    adapter.release?.();
  };
  return { path: base.path, name: adapter.name, adapter: adapter.path, base: baseName, release };
}
