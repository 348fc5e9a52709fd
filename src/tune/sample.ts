/** A text to learn from, as tokens. */
export interface Sample {
  readonly ids: readonly number[];
  /** Whether token i is to be predicted from those before it; that of the first is not looked at. Length of `ids`. */
  readonly isTarget: readonly boolean[];
}

/** How many tokens of a sample are predicted. */
export function targetCount({ isTarget }: Sample): number {
  return isTarget.reduce((count, target, i) => count + (target && i > 0 ? 1 : 0), 0);
}
