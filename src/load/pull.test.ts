import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { serveFile, startServer, type TestServer, testNet } from "../../test/helpers/https-server.js";
import { GemmaError } from "../base/errors.js";
import { gemmaHome, listModels } from "./cache.js";
import type { CatalogueEntry } from "./catalogue.js";
import { type PullOptions, type PullSeams, pull, removeModel, resolveModel } from "./pull.js";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const gguf = Buffer.concat([Buffer.from("GGUF"), Buffer.alloc(20_000, 7)]);
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

let home: string;
let server: TestServer;
let answer: (req: IncomingMessage, res: ServerResponse) => void;
let notices: string[];

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "gemma-home-"));
  server = await startServer((req, res) => answer(req, res));
  notices = [];
});

afterEach(async () => {
  await server.close();
  await rm(home, { recursive: true, force: true });
});

function options(env: NodeJS.ProcessEnv = {}): PullOptions {
  const endpoint = `https://hub.example:${server.port}`;
  return { home, env: { HOME: home, HF_ENDPOINT: endpoint, ...env }, onNotice: (line) => notices.push(line) };
}

const seams: PullSeams = { net: () => testNet(), retryDelayMs: 1 };

/** A Hub with one repository `o/r`; large files live on another host, as they do in reality. */
function hub(files: Readonly<Record<string, Uint8Array>>, token?: string) {
  return (req: IncomingMessage, res: ServerResponse): void => {
    const path = (req.url ?? "").split("?")[0] ?? "";
    const isCdn = req.headers.host?.startsWith("cdn.hf.co");
    if (!isCdn && token !== undefined && req.headers.authorization !== `Bearer ${token}`)
      return void res.writeHead(401).end();
    if (path.startsWith("/api/models/o/r/revision/")) {
      const siblings = Object.entries(files).map(([rfilename, bytes]) => ({
        rfilename,
        size: bytes.length,
        ...(/\.(gguf|safetensors)$/.test(rfilename) ? { lfs: { sha256: sha256(bytes), size: bytes.length } } : {}),
      }));
      return void res.end(JSON.stringify({ sha: COMMIT, siblings }));
    }
    const name = path.replace(/^\/(o\/r\/resolve\/[0-9a-f]{40}|blob)\//, "");
    const bytes = files[name];
    if (bytes === undefined) return void res.writeHead(404).end();
    if (isCdn || !name.endsWith("f")) serveFile(bytes)(req, res);
    else res.writeHead(302, { location: `https://cdn.hf.co:${server.port}/blob/${name}` }).end();
  };
}

describe("hf:", () => {
  test("one GGUF file, with the token on the Hub only, checked against the Hub's hash", async () => {
    answer = hub({ "README.md": Buffer.from("hi"), "m.gguf": gguf, "../../x.gguf": gguf }, "hf_secret");
    const model = await resolveModel("hf:o/r", options({ HF_TOKEN: " hf_secret\n" }), seams);
    expect(await readFile(model.path)).toEqual(gguf);
    expect(model.path.endsWith("m.gguf")).toBe(true);
    expect(model.origin).toBe(`hf:o/r@${COMMIT}`);
    expect(notices).toEqual([expect.stringContaining("Gemma Terms of Use")]);
    const cdn = server.seen.filter((req) => req.headers.host?.startsWith("cdn"));
    expect(cdn.map((req) => req.headers.authorization)).toEqual([undefined]);

    const [listed] = await listModels(home);
    expect(listed).toMatchObject({ name: model.name, verified: true, sizeBytes: gguf.length });
    expect(await readdir(join(home, "models", model.name))).toEqual(["m.gguf", "manifest.json"]);
    expect(await readdir(join(home, "downloads"))).toEqual([]);
    expect(await readdir(join(home, "locks"))).toEqual([]);

    const requests = server.seen.length; // in the cache: by source, by name, and offline
    expect(await resolveModel("hf:o/r", options(), seams)).toEqual(model);
    expect(await resolveModel(model.name, { ...options(), offline: true }, seams)).toEqual(model);
    expect(server.seen.length).toBe(requests);
  });

  test("a model folder: safetensors, config and tokenizer; no pickle, no second copy", async () => {
    const files = {
      "config.json": Buffer.from("{}"),
      "tokenizer.json": Buffer.from("{}"),
      "model-00001-of-00002.safetensors": Buffer.alloc(10, 1),
      "model-00002-of-00002.safetensors": Buffer.alloc(10, 2),
      "model.safetensors.index.json": Buffer.from("{}"),
      "consolidated.safetensors": Buffer.alloc(10, 3),
      "pytorch_model.bin": Buffer.alloc(10, 4),
      "m.gguf": gguf,
    };
    answer = hub(files);
    const { path } = await resolveModel("hf:o/r", options(), seams);
    expect((await readdir(path)).sort()).toEqual([
      "config.json",
      "manifest.json",
      "model-00001-of-00002.safetensors",
      "model-00002-of-00002.safetensors",
      "model.safetensors.index.json",
      "tokenizer.json",
    ]);
    expect((await listModels(home))[0]?.verified).toBe(false); // small files come without a hash
  });

  test("a pull that was cut between two files fetches the second only", async () => {
    const files = { "config.json": Buffer.from("{}"), "model.safetensors": Buffer.alloc(3000, 1) };
    answer = (req, res) => {
      if (req.url?.endsWith("safetensors")) return void res.writeHead(403).end();
      hub(files)(req, res);
    };
    await expect(resolveModel("hf:o/r", options(), seams)).rejects.toMatchObject({ code: "ERR_GATED" });
    expect(await listModels(home)).toEqual([]);
    const before = server.seen.length;
    answer = hub(files);
    await resolveModel("hf:o/r", options(), seams);
    expect(server.seen.slice(before).map((req) => req.url?.split("/").at(-1)?.split("?")[0])).toEqual([
      "main",
      "model.safetensors",
    ]);
  });

  test("several GGUF files: the error names them, and one can be chosen", async () => {
    answer = hub({ "a.gguf": gguf, "sub/b.gguf": gguf });
    await expect(resolveModel("hf:o/r", options(), seams)).rejects.toMatchObject({
      code: "ERR_USAGE",
      message: expect.stringContaining('["a.gguf","sub/b.gguf"]'),
      hint: expect.stringContaining("hf:o/r:a.gguf"),
    });
    expect((await resolveModel("hf:o/r@v2:a.gguf", options(), seams)).path).toMatch(/a\.gguf$/);
    await expect(resolveModel("hf:o/r:c.gguf", options(), seams)).rejects.toMatchObject({ code: "ERR_MISSING_FILE" });
  });

  test("a gated repository says what to do, and shows no token", async () => {
    answer = hub({ "m.gguf": gguf }, "hf_other");
    for (const env of [{}, { HF_TOKEN: "hf_secret" }]) {
      const error = await resolveModel("hf:o/r", options(env), seams).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: "ERR_GATED", hint: expect.stringContaining("export HF_TOKEN=") });
      expect(JSON.stringify(error)).not.toContain("hf_secret");
    }
    await expect(resolveModel("hf:o/r", options({ HF_TOKEN: "a\nb" }), seams)).rejects.toMatchObject({
      code: "ERR_USAGE",
    });
  });

  test("the token is found in the usual files", async () => {
    answer = hub({ "m.gguf": gguf }, "hf_file");
    await writeFile(join(home, "my-token"), "hf_file\n");
    await resolveModel("hf:o/r", options({ HF_TOKEN_PATH: join(home, "my-token") }), seams);
    await mkdir(join(home, ".cache", "huggingface"), { recursive: true });
    await writeFile(join(home, ".cache", "huggingface", "token"), "hf_file\n");
    await resolveModel("hf:o/r@v2", options(), seams);
  });

  test("a Hub that lies about a hash, or sends a web page, leaves nothing behind", async () => {
    const files = { "m.gguf": gguf };
    answer = (req, res) => {
      if (req.url?.startsWith("/blob/")) serveFile(Buffer.alloc(gguf.length))(req, res);
      else hub(files)(req, res);
    };
    await expect(resolveModel("hf:o/r", options(), seams)).rejects.toMatchObject({ code: "ERR_CHECKSUM" });
    expect(await listModels(home)).toEqual([]);
    expect((await readdir(join(home, "downloads"), { recursive: true })).filter((name) => /gguf/.test(name))).toEqual(
      [],
    );
  });

  test("an unknown repository, and an endpoint without https", async () => {
    answer = (_req, res) => void res.writeHead(404).end();
    await expect(resolveModel("hf:o/r", options(), seams)).rejects.toMatchObject({ code: "ERR_UNKNOWN_MODEL" });
    const env = { HF_ENDPOINT: "http://hub.example" };
    await expect(resolveModel("hf:o/r", options(env), seams)).rejects.toMatchObject({ code: "ERR_USAGE" });
  });
});

describe("https:", () => {
  test("a GGUF file, with or without a hash", async () => {
    answer = serveFile(gguf);
    const url = `https://good.example:${server.port}/dir/My-Model.gguf?key=secret`;
    const model = await resolveModel(`${url}#sha256=${sha256(gguf)}`, options(), seams);
    expect(model.path).toMatch(/My-Model\.gguf$/);
    expect(await readFile(join(home, "models", model.name, "manifest.json"), "utf8")).not.toContain("secret");
    expect((await listModels(home)).map((found) => found.verified)).toEqual([true]);
    await resolveModel(url, options(), seams);
    await expect(resolveModel(`${url}#sha256=${"0".repeat(64)}`, options(), seams)).rejects.toMatchObject({
      code: "ERR_CHECKSUM",
    });
  });

  test("a web page or a pickle in the file's place is refused", async () => {
    answer = (_req, res) => void res.end("<!doctype html><title>Log in</title>");
    const url = `https://good.example:${server.port}/m.gguf`;
    await expect(resolveModel(url, options(), seams)).rejects.toThrow("got a web page");
    answer = (_req, res) => void res.end(Buffer.from([0x80, 2, 0x7d]));
    await expect(resolveModel(url, options(), seams)).rejects.toMatchObject({ code: "ERR_FORBIDDEN_FORMAT" });
    expect(await listModels(home)).toEqual([]);
  });
});

describe("the catalogue and the cache", () => {
  const entry = (sources: string[]): CatalogueEntry => ({
    name: "tiny",
    aliases: ["tiny-pt"],
    label: "a test",
    sources,
    file: { name: "tiny.gguf", sizeBytes: gguf.length, sha256: sha256(gguf) },
  });

  test("sources are tried in order, and the hash holds for all of them", async () => {
    answer = (req, res) => {
      if (req.url === "/wrong.gguf") serveFile(Buffer.alloc(gguf.length))(req, res);
      else if (req.url === "/right.gguf") serveFile(gguf)(req, res);
      else res.writeHead(404).end();
    };
    const at = (path: string) => `https://good.example:${server.port}${path}`;
    const catalogue = [entry([at("/none.gguf"), at("/wrong.gguf"), at("/right.gguf")])];
    const model = await resolveModel("Tiny-PT", options(), { ...seams, catalogue });
    expect(model).toMatchObject({ name: "tiny", origin: at("/right.gguf") });
    expect(notices.length).toBe(3);
    expect((await listModels(home))[0]).toMatchObject({ verified: true, files: [{ checkedAgainst: "catalogue" }] });
  });

  test("when no source works, every reason and every way to get weights is told", async () => {
    answer = (_req, res) => void res.writeHead(503).end();
    const catalogue = [entry(["hf:o/r:m.gguf", `https://good.example:${server.port}/m.gguf`])];
    const error = await resolveModel("tiny", options(), { ...seams, catalogue }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "ERR_NETWORK", message: expect.stringMatching(/503.*503/s) });
    for (const way of ["hf:", "kaggle:", "https://", "pip:", "path"]) {
      expect(error).toMatchObject({ hint: expect.stringContaining(way) });
    }
  });

  test.each([{ GEMMA_OFFLINE: "1" }, { HF_HUB_OFFLINE: "true" }])(
    "offline (%j) tells what would be needed",
    async (env) => {
      await expect(resolveModel("hf:o/r", options(env), seams)).rejects.toMatchObject({
        code: "ERR_OFFLINE",
        message: expect.stringContaining("hf:o/r"),
      });
      expect(server.seen.length).toBe(0);
    },
  );

  test("unknown names list the known ones; a repository gets a word on hf:", async () => {
    await expect(resolveModel("gemma-9", options(), seams)).rejects.toMatchObject({
      code: "ERR_UNKNOWN_MODEL",
      hint: expect.stringContaining("gemma-3-270m"),
    });
    await expect(resolveModel("google/gemma-2b", options(), seams)).rejects.toMatchObject({
      hint: expect.stringContaining("hf:google/gemma-2b"),
    });
  });

  test.each([
    "",
    "..%2f..",
    "a\0b",
    "./a\0b",
    "\u2024\u2024/x",
    "x".repeat(300),
    "x/".repeat(5000),
    "gemma:2b",
    "../../etc/none",
  ])("%j as a model ends in an error of ours, and touches nothing", async (text) => {
    const result = await resolveModel(text, options(), seams).catch((reason: unknown) => reason);
    if (text !== ".") expect(result).toBeInstanceOf(GemmaError);
    expect(await readdir(home)).toEqual([]);
    expect(server.seen.length).toBe(0);
  });

  test("a path is used in place; a missing one is named", async () => {
    const path = join(home, "mine.gguf");
    await writeFile(path, gguf);
    expect(await resolveModel(path, options(), seams)).toEqual({ path, name: "mine.gguf", origin: path });
    await expect(resolveModel(join(home, "none.gguf"), options(), seams)).rejects.toMatchObject({
      code: "ERR_MISSING_FILE",
    });
    expect(await readdir(home)).toEqual(["mine.gguf"]);
  });

  test("a changed byte is found by pull, a changed size by use; both fetch the model anew", async () => {
    answer = hub({ "m.gguf": gguf });
    const { path } = await resolveModel("hf:o/r", options(), seams);
    const broken = Buffer.from(gguf);
    broken[100] = 1;
    await writeFile(path, broken);
    await pull("hf:o/r", options(), seams);
    expect(await readFile(path)).toEqual(gguf);
    await truncate(path, 100);
    expect(await listModels(home)).toEqual([]);
    await resolveModel("hf:o/r", options(), seams);
    expect(await readFile(path)).toEqual(gguf);
    const before = server.seen.length;
    await pull("hf:o/r", options(), seams);
    expect(server.seen.length).toBe(before); // intact: nothing to fetch
  });

  test("remove takes the model and what a cut pull left, and follows no link", async () => {
    answer = hub({ "m.gguf": gguf });
    const { name } = await resolveModel("hf:o/r", options(), seams);
    await removeModel(name, home);
    await expect(removeModel(name, home)).rejects.toMatchObject({ code: "ERR_UNKNOWN_MODEL" });
    await expect(removeModel("../models", home)).rejects.toMatchObject({ code: "ERR_INVALID_NAME" });

    await mkdir(join(home, "precious"));
    await writeFile(join(home, "precious", "manifest.json"), "{}");
    await symlink(join(home, "precious"), join(home, "models", "linked"));
    await expect(resolveModel("linked", options(), seams)).rejects.toMatchObject({ code: "ERR_PATH_ESCAPE" });
    await removeModel("linked", home);
    expect(await readdir(join(home, "models"))).toEqual([]);
    expect(await readdir(join(home, "precious"))).toEqual(["manifest.json"]);
  });

  test("a manifest that names files elsewhere is not believed", async () => {
    const folder = join(home, "models", "evil");
    await mkdir(folder, { recursive: true });
    for (const name of ["../../secret", "/etc/passwd", "..", "a/b"]) {
      const files = [{ name, sizeBytes: 1, sha256: "0".repeat(64), checkedAgainst: "none" }];
      await writeFile(join(folder, "manifest.json"), JSON.stringify({ origin: "x", pulledAt: "x", files }));
      expect(await listModels(home)).toEqual([]);
    }
    await writeFile(join(folder, "manifest.json"), '{"__proto__":{"polluted":true},"files":[]}');
    expect(await listModels(home)).toEqual([]);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test("a cache folder that cannot be used is named", async () => {
    await writeFile(join(home, "file"), "");
    const bad = { ...options(), home: join(home, "file") };
    await expect(resolveModel("hf:o/r", bad, seams)).rejects.toMatchObject({
      code: "ERR_IO",
      message: expect.stringContaining(join(home, "file")),
    });
  });

  test("the cache folder follows GEMMA_HOME, then XDG_CACHE_HOME, then the home folder", () => {
    expect(gemmaHome({ GEMMA_HOME: "/a", XDG_CACHE_HOME: "/b", HOME: "/c" })).toBe("/a");
    expect(gemmaHome({ XDG_CACHE_HOME: "/b", HOME: "/c" })).toBe(join("/b", "gemma-ts"));
    expect(gemmaHome({ XDG_CACHE_HOME: "relative", HOME: "/c" })).toBe(join("/c", ".cache", "gemma-ts"));
  });
});
