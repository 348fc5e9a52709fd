export interface TarEntry {
  readonly name: string;
  readonly content?: string;
  /** Type flag; "0" is a file. */
  readonly type?: string;
}

const BLOCK_BYTES = 512;

/** A ustar archive. */
export function tarOf(...entries: readonly TarEntry[]): Uint8Array {
  return new Uint8Array(Buffer.concat([...entries.map(tarEntry), new Uint8Array(2 * BLOCK_BYTES)]));
}

function tarEntry({ name, content = "", type = "0" }: TarEntry): Uint8Array {
  const data = new TextEncoder().encode(content);
  const block = new Uint8Array(BLOCK_BYTES + Math.ceil(data.length / BLOCK_BYTES) * BLOCK_BYTES);
  const put = (at: number, text: string) => block.set(new TextEncoder().encode(text), at);
  put(0, name);
  put(100, "0000644\x000000000\x000000000\0");
  put(124, data.length.toString(8).padStart(11, "0"));
  put(148, "        ");
  put(156, type);
  put(257, "ustar\x0000");
  const sum = block.reduce((a, b) => a + b, 0);
  put(148, `${sum.toString(8).padStart(6, "0")}\0 `);
  block.set(data, BLOCK_BYTES);
  return block;
}
