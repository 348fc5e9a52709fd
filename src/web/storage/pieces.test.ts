import { expect, test } from "vitest";
import { piecesOf } from "./pieces.js";

const CHUNKS = [new Uint8Array(10).fill(1), new Uint8Array(3_000_000).fill(2), new Uint8Array(5).fill(3)];

/** @param type "bytes": as the answers of most browsers; undefined: as those that fill no buffer of the reader's */
function bodyOf(type: "bytes" | undefined, cancelled: () => void = () => {}): ReadableStream<Uint8Array> {
  const chunks = CHUNKS.map((chunk) => chunk.slice());
  const source = {
    pull(controller: { enqueue(chunk: Uint8Array): void; close(): void; byobRequest?: { respond(n: number): void } }) {
      const next = chunks.shift();
      if (next) return controller.enqueue(next);
      controller.close();
      controller.byobRequest?.respond(0); // a read that waits for more learns of the end
    },
    cancel: cancelled,
  };
  return type
    ? new ReadableStream({ ...source, type } as UnderlyingByteSource)
    : new ReadableStream<Uint8Array>(source);
}

test.each(["bytes", undefined] as const)("every byte in order (stream of type %s)", async (type) => {
  const all: number[] = [];
  const memory = new Set<number>();
  for await (const piece of piecesOf(bodyOf(type))) {
    memory.add(piece.buffer.byteLength);
    for (const byte of piece) all.push(byte);
  }
  expect(all.length).toBe(3_000_015);
  expect([all[9], all[10], all[3_000_009], all[3_000_010]]).toEqual([1, 2, 2, 3]);
  if (type) expect([...memory]).toEqual([1 << 20]); // one buffer, however large what arrives
});

test.each(["bytes", undefined] as const)("who stops early ends the transfer (stream of type %s)", async (type) => {
  let isCancelled = false;
  for await (const piece of piecesOf(bodyOf(type, () => (isCancelled = true)))) {
    expect(piece.length).toBeGreaterThan(0);
    break;
  }
  expect(isCancelled).toBe(true);
});
