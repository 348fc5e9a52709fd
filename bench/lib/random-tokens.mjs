/** A prompt of `count` tokens, another for each seed: nothing comes from a remembered prefix. */
export function randomTokens(bos, seed, count) {
  let state = seed * 7919 + 1;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return 1000 + (state % 200_000); // plain words of every Gemma's vocabulary
  };
  return [bos, ...Array.from({ length: count - 1 }, next)];
}

export function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}
