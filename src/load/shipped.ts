import { existsSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "./package-root.js";

/** A whole model that ships with the package: it needs neither a download nor the cache. */
export interface ShippedModel {
  readonly name: string;
  /** One line for lists. */
  readonly label: string;
  /** Its GGUF file. */
  readonly path: string;
}

const ALL: readonly ShippedModel[] = [
  {
    name: "gemma-tiny-ts",
    label: "Gemma 3 in small, trained by this project on fairy tales (recipes/gemma-tiny-ts)",
    path: join(packageRoot(), "models", "gemma-tiny-ts", "gemma-tiny-ts.gguf"),
  },
];

/** Those that are here. */
export const SHIPPED_MODELS: readonly ShippedModel[] = ALL.filter(({ path }) => existsSync(path));

/** Where `origin` of a resolved model is a source, these have this. */
export const SHIPPED_ORIGIN = "this package";

export function findShipped(name: string): ShippedModel | undefined {
  return SHIPPED_MODELS.find((model) => model.name === name.toLowerCase());
}
