import { describe, expect, it } from "vitest";
import { bytesSource } from "./byte-source.js";

describe("bytesSource", () => {
  const source = bytesSource("five", Uint8Array.of(1, 2, 3, 4, 5));

  it("reads whole ranges only", () => {
    expect([...source.read(1, 3)]).toEqual([2, 3, 4]);
    expect(source.read(5, 0)).toHaveLength(0);
  });

  it.each([
    [0, 6, "ERR_TRUNCATED"],
    [6, 0, "ERR_TRUNCATED"],
    [5, 1, "ERR_TRUNCATED"],
    [0, Number.MAX_SAFE_INTEGER, "ERR_TRUNCATED"],
    [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, "ERR_TRUNCATED"],
    [-1, 2, "ERR_OUT_OF_BOUNDS"],
    [0, -1, "ERR_OUT_OF_BOUNDS"],
    [0.5, 1, "ERR_OUT_OF_BOUNDS"],
    [Number.NaN, 1, "ERR_OUT_OF_BOUNDS"],
    [2 ** 53, 1, "ERR_OUT_OF_BOUNDS"],
  ])("read(%s, %s) throws %s", (offset, length, code) => {
    expect(() => source.read(offset, length)).toThrow(expect.objectContaining({ code }));
  });
});
