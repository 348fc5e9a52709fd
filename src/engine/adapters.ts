import { GemmaError } from "../base/errors.js";
import type { Adapter } from "../model/adapter.js";

/** An adapter that requests can choose, or that some still use. */
export interface LoadedAdapter {
  /** Never given twice, from 1 on: two adapters may have had the same name. */
  readonly id: number;
  readonly adapter: Adapter;
}

interface Entry extends LoadedAdapter {
  users: number;
  isGone: boolean;
}

/**
 * Adapters by name. One that is removed or replaced cannot be chosen any more, and is freed when the last request that
 * chose it has ended.
 */
export class AdapterStore {
  private readonly byName = new Map<string, Entry>();
  private readonly entries = new Map<number, Entry>();
  private own: Entry | null = null;
  private lastId = 0;

  /** @param free nobody uses this one any more */
  constructor(private readonly free: (loaded: LoadedAdapter) => void) {}

  /** @throws ERR_INVALID_NAME for an empty name */
  add(adapter: Adapter): void {
    const { name } = adapter;
    if (name === "") throw new GemmaError("ERR_INVALID_NAME", "adapter: must have a name, got an empty one");
    const old = this.byName.get(name);
    this.byName.set(name, this.enter(adapter));
    if (old) this.retire(old);
  }

  /** The model's own: requests that choose no adapter have it, and it is not chosen by name. */
  setOwn(adapter: Adapter): void {
    const old = this.own;
    this.own = this.enter(adapter);
    if (old) this.retire(old);
  }

  /** @throws ERR_UNKNOWN_MODEL */
  remove(name: string): void {
    const entry = this.find(name);
    this.byName.delete(name);
    this.retire(entry);
  }

  /** The adapter of that name, or the model's own, if it has one. It may be freed unless it is held. @throws ERR_UNKNOWN_MODEL */
  get(name: string | undefined): LoadedAdapter | null {
    return name === undefined ? this.own : this.find(name);
  }

  /** A request uses the adapter from now on, until release(). */
  hold(loaded: LoadedAdapter | null): void {
    if (loaded) this.entries.get(loaded.id)!.users++;
  }

  release(loaded: LoadedAdapter | null): void {
    if (!loaded) return;
    const entry = this.entries.get(loaded.id)!;
    entry.users--;
    this.freeUnused(entry);
  }

  private enter(adapter: Adapter): Entry {
    const entry: Entry = { id: ++this.lastId, adapter, users: 0, isGone: false };
    this.entries.set(entry.id, entry);
    return entry;
  }

  private find(name: string): Entry {
    const entry = this.byName.get(name);
    if (entry) return entry;
    const known = [...this.byName.keys()].join(", ") || "none";
    throw new GemmaError("ERR_UNKNOWN_MODEL", `adapter: must be one that is loaded (${known}), got ${name}`);
  }

  private retire(entry: Entry): void {
    entry.isGone = true;
    this.freeUnused(entry);
  }

  private freeUnused(entry: Entry): void {
    if (!entry.isGone || entry.users > 0) return;
    this.entries.delete(entry.id);
    this.free(entry);
  }
}
