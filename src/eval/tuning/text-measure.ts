import { lossLine } from "./lines.js";
import type { Measure } from "./measure.js";
import type { SequenceLoss } from "./subject.js";
import type { LineHead } from "./tuning-report.js";

const WINDOW_CHARACTERS = 1500;

export interface PlainText {
  /** As the report shows it, e.g. the file's name. */
  readonly name: string;
  readonly windows: readonly string[];
}

/**
 * At most `count` windows of about 1500 characters, which begin at words and lie evenly in the text; all of a text that
 * has no more.
 */
export function textWindows(text: string, count: number): readonly string[] {
  const windows = Math.min(count, Math.ceil(text.length / WINDOW_CHARACTERS));
  const every = text.length / windows;
  return Array.from({ length: windows }, (_, i) => {
    const start = wordAt(text, Math.floor(i * every));
    return text.slice(start, wordAt(text, start + WINDOW_CHARACTERS)).trimEnd();
  }).filter((window) => window !== "");
}

/** Where the next word behind `place` begins, or `place` where none does within a window's length. */
function wordAt(text: string, place: number): number {
  if (place === 0 || place >= text.length) return Math.min(place, text.length);
  const gap = /\s+/.exec(text.slice(place - 1, place + WINDOW_CHARACTERS));
  if (gap !== null) return place - 1 + gap.index + gap[0].length;
  const isHalf = /[\udc00-\udfff]/.test(text[place]!); // of a character of two code units
  return isHalf ? place + 1 : place;
}

/** Perplexity of plain text: each window's tokens behind a beginning-of-sequence token alone. */
export function textMeasure<E>({ name, windows }: PlainText): Measure<E, SequenceLoss> {
  return {
    title: name,
    ids: windows.map((_, i) => `window ${i + 1}`),
    question: (place) => ({
      key: ["text", windows[place]],
      async ask(model, signal) {
        const [score] = await model.logprobs([{ context: "", continuation: windows[place]! }], { signal });
        return { nats: -score!.sum, tokens: score!.tokens.length };
      },
    }),
    lines(observed) {
      const head: Omit<LineHead, "better"> = {
        ...{ id: `text.${name}`, role: "regression", title: name },
        about: `perplexity of plain text: ${windows.length} windows of ${WINDOW_CHARACTERS} characters`,
      };
      const line = lossLine(
        head,
        observed.map((pair, i) => ({ id: `window ${i + 1}`, question: windows[i]!, ...pair })),
      );
      return { lines: line === null ? [] : [line] };
    },
  };
}
