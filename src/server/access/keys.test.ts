import { createHash } from "node:crypto";
import { expect, test, vi } from "vitest";
import { itSurvives } from "../../../test/fuzz.js";
import { GemmaError } from "../../base/errors.js";
import { formatKeysFile, KeyRing, makeKey, parseKeysFile } from "./keys.js";

const compared = vi.hoisted(() => ({ count: 0 }));
vi.mock("node:crypto", async (original) => {
  const crypto = await original<typeof import("node:crypto")>();
  const timingSafeEqual: typeof crypto.timingSafeEqual = (a, b) => {
    compared.count++;
    return crypto.timingSafeEqual(a, b);
  };
  return { ...crypto, timingSafeEqual };
});

const made = ["one", "two", "three"].map((name) => makeKey(name));
const ring = new KeyRing(made.map(({ stored }) => stored));

test("makeKey: a key of the documented form, of which only a digest is kept", () => {
  const { text, stored } = makeKey("ci", { scopes: ["admin", "metrics"], requestsPerMinute: 60, priority: -3 });
  const [, id, secret = ""] = /^gk_([a-z0-9]{8})_([A-Za-z0-9_-]{43})$/.exec(text) ?? [];
  expect(Buffer.from(secret, "base64url")).toHaveLength(32);
  expect(stored).toMatchObject({ id, name: "ci", scopes: ["admin", "metrics"], requestsPerMinute: 60, priority: -3 });
  expect(stored.hash).toBe(`sha256:${createHash("sha256").update(secret).digest("hex")}`);
  expect(JSON.stringify(stored)).not.toContain(secret);
});

test("makeKey: refuses a name that would steer a terminal", () => {
  expect(() => makeKey("a\u001b[2J")).toThrow("name must be 1 to 64 printable characters");
});

test("KeyRing: finds each key and nothing that is one character off", () => {
  for (const { text, stored } of made) {
    expect(ring.find(text)).toEqual(stored);
    for (const position of [3, 7, 12, 30, text.length - 1]) {
      const changed = text[position] === "a" ? "b" : "a";
      expect(ring.find(text.slice(0, position) + changed + text.slice(position + 1))).toBeNull();
    }
  }
});

test("KeyRing: a secret counts with its own id only", () => {
  const [a, b] = made.map(({ text }) => text);
  expect(ring.find(b!.slice(0, 12) + a!.slice(12))).toBeNull();
});

test("KeyRing: what is no key is none", () => {
  for (const text of ["", "gk_", "Bearer x", `${made[0]!.text} `, `${made[0]!.text}x`, "x".repeat(16_384)]) {
    expect(ring.find(text)).toBeNull();
  }
  expect(new KeyRing().find(made[0]!.text)).toBeNull();
});

test("KeyRing: every key is compared, wherever the right one stands and however much of it is right", () => {
  const known = made.map(({ text }) => text);
  const wrong = [`${known[0]!.slice(0, 20)}${"A".repeat(35)}`, makeKey("another").text];
  for (const text of [...known, ...wrong]) {
    compared.count = 0;
    ring.find(text);
    expect(compared.count).toBe(made.length);
  }
});

test("KeyRing: an expired key is none, and keys can be replaced", () => {
  const { text, stored } = makeKey("short", { expiresAt: new Date("2030-01-01T00:00:00Z") });
  const own = new KeyRing([stored]);
  expect(own.find(text, Date.parse("2029-12-31T23:59:59Z"))).toEqual(stored);
  expect(own.find(text, Date.parse("2030-01-01T00:00:00Z"))).toBeNull();
  own.replace([made[0]!.stored]);
  expect(own.find(text, 0)).toBeNull();
  expect(own.find(made[0]!.text)).toEqual(made[0]!.stored);
});

test("parseKeysFile: reads what was written", () => {
  const keys = made.map(({ stored }) => stored);
  expect(parseKeysFile(formatKeysFile(keys))).toEqual(keys);
});

const stored = made[0]!.stored;
const file = (key: object) => JSON.stringify({ version: 1, keys: [{ ...stored, ...key }] });
test.each<[string, string, string]>([
  ["no JSON", "{", "ERR_INVALID_JSON"],
  ["another version", '{"version":2,"keys":[]}', "keys.json: version must be 1, got 2"],
  ["no keys", '{"version":1}', "keys.json: keys must be an array, got nothing"],
  ["an unknown key", '{"version":1,"keys":[],"x":1}', 'keys.json must have no unknown keys, got "x"'],
  ["a poisoned prototype", '{"version":1,"keys":[],"__proto__":{"x":1}}', '"__proto__"'],
  [
    "a scope that is none",
    file({ scopes: ["root"] }),
    'keys.json: keys.0.scopes.0 must be one of inference, admin, metrics, got "root"',
  ],
  ["no scope", file({ scopes: [] }), "keys.0.scopes must name one or more of"],
  ["a hash that is none", file({ hash: "sha256:00" }), "keys.0.hash must be sha256:"],
  [
    "a limit of none",
    file({ requestsPerMinute: 0 }),
    "keys.0.requestsPerMinute must be an integer in 1..1000000, got 0",
  ],
  ["a priority out of range", file({ priority: 101 }), "keys.0.priority must be an integer in -100..100, got 101"],
  ["a time that is none", file({ expiresAt: "soon" }), "keys.0.expiresAt must be a time such as"],
  ["an id twice", JSON.stringify({ version: 1, keys: [stored, stored] }), `id ${stored.id} must occur once`],
])("parseKeysFile: %s", (_, text, says) => {
  let error: unknown;
  try {
    parseKeysFile(text, "keys.json");
  } catch (caught) {
    error = caught;
  }
  expect(error).toBeInstanceOf(GemmaError);
  expect(`${(error as GemmaError).code} ${(error as GemmaError).message}`).toContain(says);
  expect(Object.prototype).not.toHaveProperty("x");
});

itSurvives("parseKeysFile", [Buffer.from(formatKeysFile(made.map(({ stored }) => stored)))], (bytes) =>
  parseKeysFile(Buffer.from(bytes).toString("utf8")),
);
