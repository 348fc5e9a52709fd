import { GemmaError } from "../base/errors.js";
import { inOneGo, type Slices } from "../base/slices.js";
import type { Tokenizer } from "./tokenizer.js";

/** A part of a prompt: a control token by its name, or text that is never searched for control tokens. */
export type Segment =
  | { readonly kind: "control"; readonly name: string }
  | { readonly kind: "text"; readonly text: string };

export function control(name: string): Segment {
  return { kind: "control", name };
}

export function text(content: string): Segment {
  return { kind: "text", text: content };
}

export interface EncodePromptOptions {
  /** Whether the prompt begins with BOS: false for the continuation of one. Default: as the vocabulary says. */
  readonly bos?: boolean;
}

/**
 * The ids of a prompt. Neighbouring texts are encoded as one; whatever they say, they yield no control token.
 * There is one BOS at most, at the front.
 *
 * @throws ERR_MISSING_KEY for a control token that the vocabulary does not have
 * @throws ERR_INVALID_VALUE for a BOS after the front
 */
export function encodePrompt(
  tokenizer: Tokenizer,
  segments: readonly Segment[],
  options: EncodePromptOptions = {},
): Int32Array<ArrayBuffer> {
  return inOneGo(encodePromptSlices(tokenizer, segments, options));
}

/** encodePrompt with places to pause. */
export function* encodePromptSlices(
  tokenizer: Tokenizer,
  segments: readonly Segment[],
  options: EncodePromptOptions = {},
): Slices<Int32Array<ArrayBuffer>> {
  const parts: Int32Array[] = [];
  for (let i = 0; i < segments.length; ) {
    const segment = segments[i]!;
    if (segment.kind === "control") {
      parts.push(Int32Array.of(tokenizer.controlId(segment.name)));
      i++;
      continue;
    }
    let whole = "";
    for (let next = segments[i]; next?.kind === "text"; next = segments[++i]) whole += next.text;
    if (whole !== "") parts.push(yield* tokenizer.encodeUntrustedSlices(whole));
  }
  const ids = new Int32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    ids.set(part, at);
    at += part.length;
  }
  return (options.bos ?? tokenizer.vocabulary.addBos) ? withBos(tokenizer, ids) : ids;
}

/**
 * `ids` with one BOS in front, whether it has one already or not.
 *
 * @throws ERR_MISSING_KEY when the vocabulary has no BOS
 * @throws ERR_INVALID_VALUE for a BOS anywhere else
 */
export function withBos(tokenizer: Tokenizer, ids: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const { bosId } = tokenizer;
  if (bosId === undefined) throw new GemmaError("ERR_MISSING_KEY", "vocabulary: must have a BOS token, got none");
  const again = ids.indexOf(bosId, 1);
  if (again > 0)
    throw new GemmaError("ERR_INVALID_VALUE", `prompt: BOS must come once, at the front, got one at ${again}`);
  if (ids[0] === bosId) return ids;
  const result = new Int32Array(ids.length + 1);
  result[0] = bosId;
  result.set(ids, 1);
  return result;
}
