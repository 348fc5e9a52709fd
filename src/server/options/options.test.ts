import { expect, test } from "vitest";
import { KeyRing } from "../access/keys.js";
import { readOptions } from "./option-sources.js";
import { expectSafeBinding, isLoopback, resolveServerOptions, serverPart } from "./options.js";

test("resolveServerOptions: groups that are given in part get the other defaults", () => {
  const { limits, rateLimit, docs } = resolveServerOptions({
    limits: { choices: 2 },
    rateLimit: { tokensPerMinute: 9 },
  });
  expect(limits).toMatchObject({ choices: 2, bodyBytes: 2 << 20 });
  expect(rateLimit).toEqual({ tokensPerMinute: 9 });
  expect(docs).toBe(true);
});

test("resolveServerOptions: prefixes are shared where there are no keys, unless it is said", () => {
  const keys = new KeyRing();
  expect(resolveServerOptions().sharePrefixes).toBe(true);
  expect(resolveServerOptions({ keys }).sharePrefixes).toBe(false);
  expect(resolveServerOptions({ keys, sharePrefixes: true }).sharePrefixes).toBe(true);
  expect(resolveServerOptions({ sharePrefixes: false }).sharePrefixes).toBe(false);
});

test("resolveServerOptions: what is wrong or unknown is named", () => {
  expect(() => resolveServerOptions({ limits: { choices: 0 } })).toThrow(
    "createServer: limits.choices must be an integer in 1..128, got 0",
  );
  expect(() => resolveServerOptions({ limit: {} } as never)).toThrow('must have no unknown keys, got "limit"');
});

test("serverPart: what is left is what createServer takes", () => {
  const part = serverPart(readOptions({ flags: { keysFile: "k.json", logFile: "l" } }).options);
  expect(resolveServerOptions(part).limits.choices).toBe(16);
});

test.each([
  ["127.0.0.1", true],
  ["127.255.0.9", true],
  ["localhost", true],
  ["::1", true],
  ["[::1]", true],
  ["0.0.0.0", false],
  ["::", false],
  ["10.0.0.1", false],
  ["127.0.0.1.example", false],
  ["localhost.example", false],
])("isLoopback: %s", (host, expected) => {
  expect(isLoopback(host)).toBe(expected);
});

test("expectSafeBinding: an open door needs a key, or a word", () => {
  const open = { host: "0.0.0.0", insecureNoKey: false };
  expect(() => expectSafeBinding(open, false)).toThrow("must have keys, got 0.0.0.0 and none");
  expect(() => expectSafeBinding(open, true)).not.toThrow();
  expect(() => expectSafeBinding({ ...open, insecureNoKey: true }, false)).not.toThrow();
  expect(() => expectSafeBinding({ ...open, host: "::1" }, false)).not.toThrow();
});
