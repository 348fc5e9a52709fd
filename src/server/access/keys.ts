import { createHash, randomBytes, randomInt, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { defined } from "../../base/defined.js";
import { GemmaError } from "../../base/errors.js";
import { expectValid, readJson, whole } from "../options/check.js";

// A key reads gk_ID_SECRET: 8 characters that name it in lists and logs, and 32 random bytes as base64url. The secret is not kept.

const KEY = /^gk_([a-z0-9]{8})_([A-Za-z0-9_-]{43})$/;
const ID_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789";
const MAX_KEYS = 4096; // a request is compared with every one

/** What a key may be used for: the model, changing the server, reading its metrics. */
export const SCOPES = ["inference", "admin", "metrics"] as const;
export type Scope = (typeof SCOPES)[number];

const time = z.iso.datetime({ error: "must be a time such as 2030-01-31T00:00:00Z", offset: true });
const matching = (pattern: RegExp, error: string) => z.string({ error }).regex(pattern, { error });

const storedKey = z.strictObject(
  {
    id: matching(/^[a-z0-9]{8}$/, "must be 8 of a-z 0-9"),
    name: matching(/^[^\p{C}]{1,64}$/u, "must be 1 to 64 printable characters"),
    hash: matching(/^sha256:[0-9a-f]{64}$/, "must be sha256: and 64 lower-case hex digits"),
    scopes: z
      .array(z.enum(SCOPES, { error: `must be one of ${SCOPES.join(", ")}` }), { error: "must be an array of scopes" })
      .min(1, { error: `must name one or more of ${SCOPES.join(", ")}` }),
    requestsPerMinute: whole(1, 1_000_000).optional(),
    tokensPerMinute: whole(1, 1_000_000_000).optional(),
    priority: whole(-100, 100).optional(),
    createdAt: time,
    expiresAt: time.optional(),
  },
  { error: "must be an object" },
);

const keysFile = z.strictObject(
  {
    version: z.literal(1, { error: "must be 1" }),
    keys: z
      .array(storedKey, { error: "must be an array" })
      .max(MAX_KEYS, { error: `must have at most ${MAX_KEYS} keys` }),
  },
  { error: "must be an object" },
);

/** What is known of a key: all but the key. */
export type StoredKey = Readonly<Omit<z.output<typeof storedKey>, "scopes">> & { readonly scopes: readonly Scope[] };

/** Limits and lifetime of a key to be made. */
export interface KeySettings {
  /** Default: inference. */
  readonly scopes?: readonly Scope[] | undefined;
  readonly requestsPerMinute?: number | undefined;
  readonly tokensPerMinute?: number | undefined;
  /** -100..100: higher goes first. */
  readonly priority?: number | undefined;
  readonly expiresAt?: Date | undefined;
}

/**
 * The keys of a file, which nobody has checked yet.
 * @throws ERR_INVALID_JSON, ERR_INVALID_VALUE, ERR_DUPLICATE_NAME, ERR_LIMIT_EXCEEDED
 */
export function parseKeysFile(text: string, where = "keys file"): readonly StoredKey[] {
  const { keys } = expectValid(keysFile, readJson(text, where), where);
  const ids = new Set<string>();
  for (const { id } of keys) {
    if (ids.has(id)) throw new GemmaError("ERR_DUPLICATE_NAME", `${where}: id ${id} must occur once, got it again`);
    ids.add(id);
  }
  return keys;
}

/** The text of a file that parseKeysFile reads. */
export function formatKeysFile(keys: readonly StoredKey[]): string {
  return `${JSON.stringify({ version: 1, keys }, null, 2)}\n`;
}

/** A new key: `text` is for its holder and kept nowhere. @throws ERR_INVALID_VALUE */
export function makeKey(
  name: string,
  settings: KeySettings = {},
  now = new Date(),
): { text: string; stored: StoredKey } {
  const id = Array.from({ length: 8 }, () => ID_LETTERS[randomInt(ID_LETTERS.length)]).join("");
  const secret = randomBytes(32).toString("base64url");
  const { scopes = ["inference"], expiresAt, ...limits } = settings;
  const stored = {
    ...{ id, name, hash: `sha256:${digest(secret).toString("hex")}`, scopes: [...new Set(scopes)] },
    ...defined(limits),
    createdAt: now.toISOString(),
    ...defined({ expiresAt: expiresAt?.toISOString() }),
  };
  return { text: `gk_${id}_${secret}`, stored: expectValid(storedKey, stored, "key") };
}

/** The keys that a server accepts. */
export class KeyRing {
  private entries: readonly { readonly key: StoredKey; readonly proof: Buffer }[] = [];

  constructor(keys: readonly StoredKey[] = []) {
    this.replace(keys);
  }

  get keys(): readonly StoredKey[] {
    return this.entries.map(({ key }) => key);
  }

  /** Takes these keys in place of all others, e.g. when their file has changed. */
  replace(keys: readonly StoredKey[]): void {
    this.entries = keys.map((key) => ({ key, proof: proof(key.id, Buffer.from(key.hash.slice(7), "hex")) }));
  }

  /**
   * The key that `presented` is, unless it has expired. How long that takes tells nothing of the keys: all are compared, each in
   * constant time.
   */
  find(presented: string, now = Date.now()): StoredKey | null {
    const [, id, secret] = KEY.exec(presented) ?? [];
    if (id === undefined || secret === undefined) return null;
    const presentedProof = proof(id, digest(secret));
    let found: StoredKey | null = null;
    for (const entry of this.entries) if (timingSafeEqual(entry.proof, presentedProof)) found = entry.key;
    return found?.expiresAt !== undefined && Date.parse(found.expiresAt) <= now ? null : found;
  }
}

/** 40 bytes: the secret's digest and the id, so that one comparison covers both. */
function proof(id: string, secretDigest: Buffer): Buffer {
  return Buffer.concat([secretDigest, Buffer.from(id, "latin1")]);
}

function digest(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}
