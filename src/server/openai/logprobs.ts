import { z } from "@hono/zod-openapi";
import type { TokenLogProb } from "../../engine/job.js";

/** The bytes of tokens, as far as they were looked up. */
export type TokenBytes = (id: number) => Uint8Array;

const decoder = new TextDecoder();
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A token as text; U+FFFD for a part of a character. */
export function tokenText(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** The same where tokens are told apart by it: OpenAI writes parts of characters as `bytes:\xf0\x9f`. */
function tokenName(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    return `bytes:${Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("")}`;
  }
}

/** Ids whose bytes a formatter asks for. */
export function idsIn(logprobs: readonly (TokenLogProb | null)[]): number[] {
  return logprobs.flatMap((token) => (token ? [token.id, ...token.top.map(({ id }) => id)] : []));
}

const tokenSchema = z.object({ token: z.string(), logprob: z.number(), bytes: z.array(z.number().int()).nullable() });

export const chatLogprobsSchema = z.object({
  content: z.array(tokenSchema.extend({ top_logprobs: z.array(tokenSchema) })).nullable(),
  refusal: z.null(),
});

/** Least probabilities are -Infinity, which JSON has no word for. */
const LEAST = -9999;

function finite(logprob: number): number {
  return Number.isFinite(logprob) ? logprob : LEAST;
}

/** The form of chat completions. */
export function chatLogprobs(
  logprobs: readonly TokenLogProb[],
  bytesOf: TokenBytes,
): z.output<typeof chatLogprobsSchema> {
  const token = (id: number, logprob: number) => {
    const bytes = bytesOf(id);
    return { token: tokenText(bytes), logprob: finite(logprob), bytes: [...bytes] };
  };
  const content = logprobs.map(({ id, logprob, top }) => ({
    ...token(id, logprob),
    top_logprobs: top.map((other) => token(other.id, other.logprob)),
  }));
  return { content, refusal: null };
}

export const completionLogprobsSchema = z.object({
  tokens: z.array(z.string()),
  token_logprobs: z.array(z.number().nullable()),
  top_logprobs: z.array(z.record(z.string(), z.number()).nullable()),
  text_offset: z.array(z.number().int()),
});

export interface PlacedToken {
  readonly id: number;
  /** null: of a prompt's first token, which nothing stands before. */
  readonly logprob: TokenLogProb | null;
  /** Takes no place in the text. Default: false. */
  readonly isHidden?: boolean;
}

/**
 * Where tokens stand in a text, in characters (code points): a token that goes on with a character stands where that
 * began.
 */
export class TextOffsets {
  private count = 0;
  private missing = 0; // bytes of the last character

  next(bytes: Uint8Array): number {
    const offset = this.missing > 0 && isContinuation(bytes[0]) ? this.count - 1 : this.count;
    for (const byte of bytes) {
      if (this.missing > 0 && isContinuation(byte)) {
        this.missing--;
        continue;
      }
      this.count++; // also for a byte that is astray: the text has U+FFFD there
      this.missing = byte < 0xc0 ? 0 : byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    }
    return offset;
  }
}

/** Whether the byte goes on with a character of UTF-8. */
function isContinuation(byte = 0): boolean {
  return (byte & 0xc0) === 0x80;
}

const NO_BYTES = new Uint8Array();

/** The form of plain completions. @param offsets  of the choice that the tokens belong to */
export function completionLogprobs(
  tokens: readonly PlacedToken[],
  bytesOf: TokenBytes,
  offsets: TextOffsets,
): z.output<typeof completionLogprobsSchema> {
  const result: z.output<typeof completionLogprobsSchema> = {
    tokens: [],
    token_logprobs: [],
    top_logprobs: [],
    text_offset: [],
  };
  for (const { id, logprob, isHidden = false } of tokens) {
    const bytes = bytesOf(id);
    result.tokens.push(tokenName(bytes));
    result.token_logprobs.push(logprob === null ? null : finite(logprob.logprob));
    const others = logprob === null ? [] : [...logprob.top, logprob]; // the token itself belongs to them
    const alternatives = others.map((one) => [tokenName(bytesOf(one.id)), finite(one.logprob)] as const);
    result.top_logprobs.push(logprob === null ? null : Object.fromEntries(alternatives));
    result.text_offset.push(offsets.next(isHidden ? NO_BYTES : bytes));
  }
  return result;
}
