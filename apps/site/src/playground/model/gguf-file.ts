const MAGIC = "GGUF";

/** Whether a file begins as GGUF files do: told at once, not behind a load. */
export async function isGguf(file: Blob): Promise<boolean> {
  return (await file.slice(0, MAGIC.length).text()) === MAGIC;
}
