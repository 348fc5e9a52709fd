import { z } from "@hono/zod-openapi";
import type { TokenLogProb } from "../../engine/job.js";

/** The bytes of tokens, as far as they were looked up. */
export type TokenBytes = (id: number) => Uint8Array;

const decoder = new TextDecoder();

/** A token as text; U+FFFD for a part of a character. */
export function tokenText(bytes: Uint8Array): string {
  return decoder.decode(bytes);
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
}

/**
 * The form of plain completions: offsets count characters (code points) of the text, from `offset` on. Tokens in
 * `silent` (a prompt's beginning-of-sequence token) take no place in it.
 */
export function completionLogprobs(
  tokens: readonly PlacedToken[],
  bytesOf: TokenBytes,
  offset: number,
  silent: ReadonlySet<number> = new Set(),
): { readonly logprobs: z.output<typeof completionLogprobsSchema>; readonly end: number } {
  const result: z.output<typeof completionLogprobsSchema> = {
    tokens: [],
    token_logprobs: [],
    top_logprobs: [],
    text_offset: [],
  };
  let at = offset;
  for (const { id, logprob } of tokens) {
    result.tokens.push(tokenText(bytesOf(id)));
    result.token_logprobs.push(logprob === null ? null : finite(logprob.logprob));
    const others = logprob === null ? [] : [...logprob.top, logprob]; // the token itself belongs to them
    const alternatives = others.map((one) => [tokenText(bytesOf(one.id)), finite(one.logprob)] as const);
    result.top_logprobs.push(logprob === null ? null : Object.fromEntries(alternatives));
    result.text_offset.push(Math.floor(at));
    if (!silent.has(id)) at += characters(bytesOf(id));
  }
  return { logprobs: result, end: at };
}

/** Characters that begin in these bytes: a character of several tokens counts at its first. */
function characters(bytes: Uint8Array): number {
  let count = 0;
  for (const byte of bytes) if ((byte & 0xc0) !== 0x80) count++;
  return count;
}
