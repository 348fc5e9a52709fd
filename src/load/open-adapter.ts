import type { GemmaConfig } from "../model/config.js";
import { type OpenedAdapter, openAdapterIn } from "./adapter-files.js";
import { disk } from "./files.js";

/** openAdapterIn for the disk. */
export function openAdapter(folder: string, base: GemmaConfig): OpenedAdapter {
  return openAdapterIn(disk, folder, base);
}
