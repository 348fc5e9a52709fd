interface Measuring {
  measureUserAgentSpecificMemory?(): Promise<{ readonly bytes: number }>;
}

/** Bytes of this page with its workers, where the browser tells: Chromium, in isolated pages. */
export async function measureMemory(): Promise<number | null> {
  const { measureUserAgentSpecificMemory: measure } = performance as unknown as Measuring;
  if (measure === undefined || !crossOriginIsolated) return null;
  return measure
    .call(performance)
    .then(({ bytes }) => bytes)
    .catch(() => null);
}
