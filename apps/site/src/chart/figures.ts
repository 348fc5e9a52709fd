import { PUBLISHED, PUBLISHED_MODELS, type PublishedBenchmark, type PublishedModel } from "gemma-ts/eval";
import type { Texts } from "../text/texts.js";

export { PUBLISHED, PUBLISHED_MODELS, type PublishedBenchmark, type PublishedModel };

export function benchmarkNamed(name: string): PublishedBenchmark {
  return PUBLISHED.find(({ benchmark }) => benchmark === name) ?? PUBLISHED[0]!;
}

/** As it was published, in the language's way of writing: 69.42, but 81.0. */
export function figure(row: PublishedBenchmark, model: PublishedModel, { language }: Texts): string {
  const written = new Intl.NumberFormat(language, { minimumFractionDigits: 1, maximumFractionDigits: 2 });
  return written.format(row.scores[model]) + (row.otherMethod.includes(model) ? "*" : "");
}

/** The published setting in the language's words; "" where there is none. */
export function settingOf({ setting }: PublishedBenchmark, { product }: Texts): string {
  return setting === "" ? "" : product.benchmarks.settings[setting as keyof Texts["product"]["benchmarks"]["settings"]];
}

/** All values of a row, for those who listen. */
export function spoken(row: PublishedBenchmark, models: readonly PublishedModel[], texts: Texts): string {
  const named = PUBLISHED_MODELS.filter(({ id }) => models.includes(id));
  return named.map(({ id, title }) => `${title}: ${figure(row, id, texts)} %`).join(", ");
}
