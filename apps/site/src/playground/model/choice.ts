import type { ListedModel } from "../engines/in-page.js";

/** What the reader has picked, before anything is loaded. */
export type Choice =
  | { readonly kind: "listed"; readonly model: ListedModel }
  | { readonly kind: "file"; readonly file: File | null }
  | { readonly kind: "server" };
