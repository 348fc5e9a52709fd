/** Work in slices: each `yield` is a place where it may pause. */
export type Slices<T> = Generator<undefined, T>;

/** Does the work at once. */
export function inOneGo<T>(work: Slices<T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

/** Does the work with a pause between two slices. @throws what the work or a pause throws */
export async function withPauses<T>(work: Slices<T>, pause: () => Promise<void>): Promise<T> {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
    await pause();
  }
}
