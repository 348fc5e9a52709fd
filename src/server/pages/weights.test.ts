import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { get, tinyServer } from "../../../test/helpers/server.js";
import { shippedFiles } from "../../load/offered.js";
import { KeyRing, makeKey } from "../access/keys.js";
import type { GemmaServer } from "../server.js";

const home = mkdtempSync(join(tmpdir(), "gemma-weights-"));
const bytes = Uint8Array.from({ length: 200_000 }, (_, i) => (i * 7) & 255);
const sha256 = createHash("sha256").update(bytes).digest("hex");
const FILE = "/models/gemma-3-1b-it/model.gguf";

/** A model in the cache, as a pull leaves it. */
function cache(name: string, file: string) {
  const folder = join(home, "models", name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, file), bytes);
  const files = [{ name: file, sizeBytes: bytes.length, sha256, checkedAgainst: "server" }];
  const manifest = { name, origin: "hf:google/x", pulledAt: "2026-01-01T00:00:00Z", files };
  writeFileSync(join(folder, "manifest.json"), JSON.stringify(manifest));
}

const shipped = (await shippedFiles()).map((model) => ({
  ...model,
  files: model.files.map(({ path: _, ...file }) => file),
}));

let server: GemmaServer;
beforeAll(async () => {
  cache("gemma-3-1b-it", "model.gguf");
  cache("mine", "private.gguf"); // in the cache, and not of the catalogue
  writeFileSync(join(home, "secret.txt"), "secret");
  server = await tinyServer({ weights: true, home });
});
afterAll(async () => {
  await server.dispose();
  rmSync(home, { recursive: true });
});

const bodyOf = async (response: Response) => new Uint8Array(await response.arrayBuffer());

test("the list has the catalogue's models that are in the cache, the package's own, and no path of this machine", async () => {
  const response = await get(server, "/models/index.json");
  const text = await response.text();
  expect(JSON.parse(text)).toEqual({
    models: [
      {
        name: "gemma-3-1b-it",
        label: expect.stringContaining("1B"),
        files: [{ name: "model.gguf", sizeBytes: bytes.length, sha256 }],
      },
      ...shipped,
    ],
  });
  expect(text).not.toContain(home);
});

describe("a file", () => {
  test("whole, with its hash", async () => {
    const response = await get(server, FILE);
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      etag: `"${sha256}"`,
      "content-length": `${bytes.length}`,
      "accept-ranges": "bytes",
      "repr-digest": `sha-256=:${createHash("sha256").update(bytes).digest("base64")}:`,
    });
    expect(await bodyOf(response)).toEqual(bytes);
  });

  test.each([
    ["bytes=100-199", 100, 200],
    ["bytes=199990-", 199_990, 200_000],
    ["bytes=-10", 199_990, 200_000],
    ["bytes=199990-300000", 199_990, 200_000],
    ["bytes=0-0", 0, 1],
  ])("a part of it: %s", async (range, start, end) => {
    const response = await get(server, FILE, { range });
    expect(response.status).toBe(206);
    expect(response.headers.get("content-range")).toBe(`bytes ${start}-${end - 1}/${bytes.length}`);
    expect(response.headers.get("content-length")).toBe(`${end - start}`);
    expect(await bodyOf(response)).toEqual(bytes.subarray(start, end));
  });

  test.each(["bytes=200000-", "bytes=999999999999-", "bytes=-0"])("nothing of it behind its end: %s", async (range) => {
    const response = await get(server, FILE, { range });
    expect([response.status, response.headers.get("content-range")]).toEqual([416, `bytes */${bytes.length}`]);
  });

  test.each(["bytes=0-1,5-6", "lines=1-2", "bytes=5-2", "bytes=-", "bytes=1e3-", ""])(
    "all of it for a range that is none: %s",
    async (range) => {
      const response = await get(server, FILE, { range });
      expect(response.status).toBe(200);
      expect((await bodyOf(response)).length).toBe(bytes.length);
    },
  );

  test("conditions: the same version goes on, another begins anew, a known one is not sent", async () => {
    const range = "bytes=5-9";
    expect((await get(server, FILE, { range, "if-range": `"${sha256}"` })).status).toBe(206);
    expect((await get(server, FILE, { range, "if-range": '"other"' })).status).toBe(200);
    expect((await get(server, FILE, { "if-none-match": `"other", W/"${sha256}"` })).status).toBe(304);
    expect((await get(server, FILE, { "if-none-match": '"other"' })).status).toBe(200);
  });

  test("its head alone", async () => {
    const response = await server.fetch(new Request(`http://localhost${FILE}`, { method: "HEAD" }));
    expect([response.status, response.headers.get("content-length")]).toEqual([200, `${bytes.length}`]);
    expect((await bodyOf(response)).length).toBe(0);
  });
});

test.each([
  "/models/mine/private.gguf",
  "/models/gemma-3-1b-it/manifest.json",
  "/models/gemma-3-1b-it/..%2f..%2f..%2fsecret.txt",
  "/models/..%2f..%2fsecret.txt/x",
  "/models/%2e%2e/secret.txt",
  "/models/gemma-3-1b-it/",
  "/models/gemma-3-1b-it/model.gguf/x",
  "/models/gemma-3-1b-it/model.gguf%00",
  "/models/GEMMA-3-1B-IT/model.gguf",
])("nothing else is readable: %s", async (path) => {
  expect((await get(server, path)).status).toBe(404);
});

test("a model that has lost bytes, or lies behind a link, is not offered", async () => {
  const other = mkdtempSync(join(tmpdir(), "gemma-weights-"));
  mkdirSync(join(other, "models"), { recursive: true });
  symlinkSync(join(home, "models", "gemma-3-1b-it"), join(other, "models", "gemma-3-1b-it"));
  const linked = await tinyServer({ weights: true, home: other });
  expect(await (await get(linked, "/models/index.json")).json()).toEqual({ models: shipped });
  expect((await get(linked, FILE)).status).toBe(404);
  await linked.dispose();
  rmSync(other, { recursive: true });
});

test("off unless asked for, and behind keys where there are keys", async () => {
  const key = makeKey("mine");
  const [off, closed] = await Promise.all([
    tinyServer({ home }),
    tinyServer({ weights: true, home, keys: new KeyRing([key.stored]) }),
  ]);
  for (const path of ["/models/index.json", FILE]) {
    expect((await get(off, path)).status).toBe(404);
    expect((await get(closed, path)).status).toBe(401);
    expect((await get(closed, path, { authorization: `Bearer ${key.text}` })).status).toBe(200);
  }
  await Promise.all([off.dispose(), closed.dispose()]);
});
