import { PUBLISHED } from "gemma-ts/eval";
import { expect, test } from "vitest";
import { HERO_TOKENS } from "../pages/hero-tokens.js";
import { de } from "./de.js";
import { en } from "./en.js";

function leaves(value: unknown, path = ""): [string, string][] {
  if (typeof value === "string") return [[path, value]];
  return Object.entries(value as object).flatMap(([key, inner]) => leaves(inner, `${path}.${key}`));
}

test("no sentence is the same in both languages, and placeholders are", () => {
  const german = new Map(leaves(de));
  for (const [path, english] of leaves(en)) {
    const other = german.get(path)!;
    const holes = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([hole]) => hole).sort();
    expect([path, holes(other)]).toEqual([path, holes(english)]);
    if (english.split(" ").length > 4) expect([path, other]).not.toEqual([path, english]);
    for (const text of [english, other]) expect([path, text.trim(), text.includes("  ")]).toEqual([path, text, false]);
  }
});

test("every published setting has its name and its meaning, every benchmark its sentence", () => {
  for (const { benchmark, setting } of PUBLISHED) {
    for (const { product } of [en, de]) {
      expect(product.benchmarks.about[benchmark].length).toBeGreaterThan(20);
      if (setting === "") continue;
      expect(Object.keys(product.benchmarks.settings)).toContain(setting);
      expect(Object.keys(product.benchmarks.settingMeaning)).toContain(setting);
    }
  }
});

test("the caption counts the tokens that the figure shows", () => {
  expect(en.product.hero.figure.caption).toMatch(/^Twelve /);
  expect(HERO_TOKENS.en).toHaveLength(12);
  expect(de.product.hero.figure.caption).toMatch(/^Dreizehn /);
  expect(HERO_TOKENS.de).toHaveLength(13);
});
