/** How an answer is compared with the reference. */
export const ANSWER_METRICS = ["exact", "contains", "label"] as const;
export type AnswerMetric = (typeof ANSWER_METRICS)[number];

export const METRIC_TEXT: Readonly<Record<AnswerMetric, string>> = {
  exact: "the answer is the reference, white space aside",
  contains: "the reference stands in the answer as whole words, whatever the case",
  label: "the answer begins with the right one of the labels, whatever the case",
};

/**
 * Whether an answer is right.
 *
 * - exact: equal, where runs of white space count as one space and outer ones not at all
 * - contains: the same, of a part of the answer between word boundaries, without regard to case
 * - label: the answer begins with one of `labels` as a whole word, behind quotes, brackets and stars; of labels that begin alike the longest counts
 */
export function isRight(metric: AnswerMetric, answer: string, reference: string, labels: readonly string[]): boolean {
  switch (metric) {
    case "exact":
      return plain(answer) === plain(reference);
    case "contains":
      return hasWords(folded(answer), folded(reference));
    case "label":
      return labelOf(answer, labels) === folded(reference);
    default:
      return metric satisfies never;
  }
}

/** The label that an answer begins with, folded; null for none. */
export function labelOf(answer: string, labels: readonly string[]): string | null {
  const text = folded(answer).replace(/^[\s"'“”„«»‘’*_`([{-]+/u, "");
  const found = labels
    .map(folded)
    .filter((label) => text.startsWith(label) && !isWord(text[label.length]))
    .sort((a, b) => b.length - a.length);
  return found[0] ?? null;
}

function hasWords(text: string, wanted: string): boolean {
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1)) {
    const isCut = isWord(text[at - 1]) && isWord(wanted[0]);
    if (!isCut && !(isWord(text[at + wanted.length]) && isWord(wanted.at(-1)))) return true;
  }
  return false;
}

function isWord(character: string | undefined): boolean {
  return character !== undefined && /[\p{L}\p{N}]/u.test(character);
}

function plain(text: string): string {
  return text.normalize("NFC").replace(/\s+/gu, " ").trim();
}

function folded(text: string): string {
  return plain(text).toLowerCase();
}
