import { createHash } from "node:crypto";
import { expect, test, vi } from "vitest";
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

const large = Uint8Array.from({ length: 700_000 }, (_, i) => (i * i + (i >> 9)) & 255);

test("long pieces, whose blocks the kernel takes, between short ones", () => {
  const rng = seededRng(8);
  for (let round = 0; round < 5; round++) {
    const hash = new Sha256();
    for (let at = 0, end = 0; at < large.length; at = end) {
      end = Math.min(large.length, at + rng.integer(rng.integer(2) === 0 ? 300 : 400_000));
      hash.update(large.subarray(at, end));
    }
    expect(hash.hex()).toBe(expected(large));
  }
});

test("two hashes at once have a state each", () => {
  const [one, two] = [new Sha256(), new Sha256()];
  for (let at = 0; at < large.length; at += 100_000) {
    one.update(large.subarray(at, at + 100_000));
    two.update(large.subarray(at, at + 100_000).toReversed());
  }
  expect(one.hex()).toBe(expected(large));
  expect(two.hex()).not.toBe(expected(large));
});

test("where there is no WebAssembly, or a page forbids it", async () => {
  vi.stubGlobal("WebAssembly", {
    Module: class {
      constructor() {
        throw new Error("Refused to compile");
      }
    },
  });
  vi.resetModules();
  const { Sha256: Plain } = await import("./sha256.js");
  expect(new Plain().update(large).hex()).toBe(expected(large));
  vi.unstubAllGlobals();
});
