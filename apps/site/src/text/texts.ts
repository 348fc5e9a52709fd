import { de } from "./de.js";
import { en } from "./en.js";

/** What a page says. English has the shape; lists have as many entries in every language. */
export type Texts = Widened<typeof en>;

export type Language = "en" | "de";

export const LANGUAGES: readonly Language[] = ["en", "de"];

export const TEXTS: Readonly<Record<Language, Texts>> = { en, de };

/** The texts of the page that this runs in. */
export function pageTexts(): Texts {
  return document.documentElement.lang === "de" ? de : en;
}

/** `{name}` in a text, replaced. */
export function filled(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replace(/\{(\w+)\}/g, (all, name: string) => String(values[name] ?? all));
}

type Widened<T> = T extends string ? string : { readonly [K in keyof T]: Widened<T[K]> };
