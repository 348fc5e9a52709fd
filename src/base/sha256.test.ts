import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { seededRng } from "./rng.js";
import { Sha256 } from "./sha256.js";

const expected = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

test("every length around the blocks", () => {
  for (let length = 0; length < 200; length++) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 31 + length) & 255);
    expect(new Sha256().update(bytes).hex()).toBe(expected(bytes));
  }
});

test("in pieces of any size, and views that begin anywhere", () => {
  const bytes = Uint8Array.from({ length: 10_000 }, (_, i) => (i * i) & 255);
  const rng = seededRng(7);
  for (let round = 0; round < 20; round++) {
    const hash = new Sha256();
    for (let at = 0; at < bytes.length; ) {
      const end = Math.min(bytes.length, at + rng.integer(300));
      hash.update(bytes.subarray(at, end));
      at = end;
    }
    expect(hash.hex()).toBe(expected(bytes));
  }
});
