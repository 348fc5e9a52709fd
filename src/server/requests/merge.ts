/** Values of several sources in the order in which they come. The first source that fails ends it; none of them is left. */
export async function* merge<T>(sources: readonly AsyncIterable<T>[]): AsyncGenerator<T, void, void> {
  let come: T[] = [];
  let open = sources.length;
  let failure: { readonly error: unknown } | null = null;
  let wake = () => {};
  const read = async (source: AsyncIterable<T>) => {
    try {
      for await (const value of source) {
        come.push(value);
        wake();
      }
    } catch (error) {
      failure ??= { error };
    }
    open--;
    wake();
  };
  for (const source of sources) void read(source);
  // Not a race of the sources: each race would stay with the sources that are slow, for as long as they are.
  for (;;) {
    const values = come;
    come = [];
    yield* values;
    if (come.length > 0) continue;
    if (failure) throw (failure as { readonly error: unknown }).error;
    if (open === 0) return;
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
}
