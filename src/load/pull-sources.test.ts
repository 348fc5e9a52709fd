import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { serveFile } from "../../test/helpers/https-server.js";
import { COMMIT, GGUF, PullServer, SEAMS, sha256 } from "../../test/helpers/pull-server.js";
import { listModels } from "./cache.js";
import { resolveModel } from "./pull.js";

const world = new PullServer();

describe("hf:", () => {
  test("one GGUF file, with the token on the Hub only, checked against the Hub's hash", async () => {
    world.answer = world.hub({ "README.md": Buffer.from("hi"), "m.gguf": GGUF, "../../x.gguf": GGUF }, "hf_secret");
    const model = await resolveModel("hf:o/r", world.options({ HF_TOKEN: " hf_secret\n" }), SEAMS);
    expect(await readFile(model.path)).toEqual(GGUF);
    expect(model.path.endsWith("m.gguf")).toBe(true);
    expect(model.origin).toBe(`hf:o/r@${COMMIT}`);
    expect(world.notices).toEqual([expect.stringContaining("Gemma Terms of Use")]);
    const cdn = world.server.seen.filter((req) => req.headers.host?.startsWith("cdn"));
    expect(cdn.map((req) => req.headers.authorization)).toEqual([undefined]);

    const [listed] = await listModels(world.home);
    expect(listed).toMatchObject({ name: model.name, verified: true, sizeBytes: GGUF.length });
    expect(await readdir(join(world.home, "models", model.name))).toEqual(["m.gguf", "manifest.json"]);
    expect(await readdir(join(world.home, "downloads"))).toEqual([]);
    expect(await readdir(join(world.home, "locks"))).toEqual([]);

    const requests = world.server.seen.length; // in the cache: by source, by name, and offline
    expect(await resolveModel("hf:o/r", world.options(), SEAMS)).toEqual(model);
    expect(await resolveModel(model.name, { ...world.options(), offline: true }, SEAMS)).toEqual(model);
    expect(world.server.seen.length).toBe(requests);
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
      "m.gguf": GGUF,
    };
    world.answer = world.hub(files);
    const { path } = await resolveModel("hf:o/r", world.options(), SEAMS);
    expect((await readdir(path)).sort()).toEqual([
      "config.json",
      "manifest.json",
      "model-00001-of-00002.safetensors",
      "model-00002-of-00002.safetensors",
      "model.safetensors.index.json",
      "tokenizer.json",
    ]);
    expect((await listModels(world.home))[0]?.verified).toBe(false); // small files come without a hash
  });

  test("a pull that was cut between two files fetches the second only", async () => {
    const files = { "config.json": Buffer.from("{}"), "model.safetensors": Buffer.alloc(3000, 1) };
    world.answer = (req, res) => {
      if (req.url?.endsWith("safetensors")) return void res.writeHead(403).end();
      world.hub(files)(req, res);
    };
    await expect(resolveModel("hf:o/r", world.options(), SEAMS)).rejects.toMatchObject({ code: "ERR_GATED" });
    expect(await listModels(world.home)).toEqual([]);
    const before = world.server.seen.length;
    world.answer = world.hub(files);
    await resolveModel("hf:o/r", world.options(), SEAMS);
    expect(world.server.seen.slice(before).map((req) => req.url?.split("/").at(-1)?.split("?")[0])).toEqual([
      "main",
      "model.safetensors",
    ]);
  });

  test("several GGUF files: the error names them, and one can be chosen", async () => {
    world.answer = world.hub({ "a.gguf": GGUF, "sub/b.gguf": GGUF });
    await expect(resolveModel("hf:o/r", world.options(), SEAMS)).rejects.toMatchObject({
      code: "ERR_USAGE",
      message: expect.stringContaining('["a.gguf","sub/b.gguf"]'),
      hint: expect.stringContaining("hf:o/r:a.gguf"),
    });
    expect((await resolveModel("hf:o/r@v2:a.gguf", world.options(), SEAMS)).path).toMatch(/a\.gguf$/);
    await expect(resolveModel("hf:o/r:c.gguf", world.options(), SEAMS)).rejects.toMatchObject({
      code: "ERR_MISSING_FILE",
    });
  });

  test("a gated repository says what to do, and shows no token", async () => {
    world.answer = world.hub({ "m.gguf": GGUF }, "hf_other");
    for (const env of [{}, { HF_TOKEN: "hf_secret" }]) {
      const error = await resolveModel("hf:o/r", world.options(env), SEAMS).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: "ERR_GATED", hint: expect.stringContaining("export HF_TOKEN=") });
      expect(JSON.stringify(error)).not.toContain("hf_secret");
    }
    await expect(resolveModel("hf:o/r", world.options({ HF_TOKEN: "a\nb" }), SEAMS)).rejects.toMatchObject({
      code: "ERR_USAGE",
    });
  });

  test("the token is found in the usual files", async () => {
    world.answer = world.hub({ "m.gguf": GGUF }, "hf_file");
    await writeFile(join(world.home, "my-token"), "hf_file\n");
    await resolveModel("hf:o/r", world.options({ HF_TOKEN_PATH: join(world.home, "my-token") }), SEAMS);
    await mkdir(join(world.home, ".cache", "huggingface"), { recursive: true });
    await writeFile(join(world.home, ".cache", "huggingface", "token"), "hf_file\n");
    await resolveModel("hf:o/r@v2", world.options(), SEAMS);
  });

  test("a Hub that lies about a hash, or sends a web page, leaves nothing behind", async () => {
    const files = { "m.gguf": GGUF };
    world.answer = (req, res) => {
      if (req.url?.startsWith("/blob/")) serveFile(Buffer.alloc(GGUF.length))(req, res);
      else world.hub(files)(req, res);
    };
    await expect(resolveModel("hf:o/r", world.options(), SEAMS)).rejects.toMatchObject({ code: "ERR_CHECKSUM" });
    expect(await listModels(world.home)).toEqual([]);
    expect(
      (await readdir(join(world.home, "downloads"), { recursive: true })).filter((name) => /gguf/.test(name)),
    ).toEqual([]);
  });

  test("an unknown repository, and an endpoint without https", async () => {
    world.answer = (_req, res) => void res.writeHead(404).end();
    await expect(resolveModel("hf:o/r", world.options(), SEAMS)).rejects.toMatchObject({ code: "ERR_UNKNOWN_MODEL" });
    const env = { HF_ENDPOINT: "http://hub.example" };
    await expect(resolveModel("hf:o/r", world.options(env), SEAMS)).rejects.toMatchObject({ code: "ERR_USAGE" });
  });
});

describe("https:", () => {
  test("a GGUF file, with or without a hash", async () => {
    world.answer = serveFile(GGUF);
    const url = `https://good.example:${world.server.port}/dir/My-Model.gguf?key=secret`;
    const model = await resolveModel(`${url}#sha256=${sha256(GGUF)}`, world.options(), SEAMS);
    expect(model.path).toMatch(/My-Model\.gguf$/);
    expect(await readFile(join(world.home, "models", model.name, "manifest.json"), "utf8")).not.toContain("secret");
    expect((await listModels(world.home)).map((found) => found.verified)).toEqual([true]);
    await resolveModel(url, world.options(), SEAMS);
    await expect(resolveModel(`${url}#sha256=${"0".repeat(64)}`, world.options(), SEAMS)).rejects.toMatchObject({
      code: "ERR_CHECKSUM",
    });
  });

  test("a web page or a pickle in the file's place is refused", async () => {
    world.answer = (_req, res) => void res.end("<!doctype html><title>Log in</title>");
    const url = `https://good.example:${world.server.port}/m.gguf`;
    await expect(resolveModel(url, world.options(), SEAMS)).rejects.toThrow("got a web page");
    world.answer = (_req, res) => void res.end(Buffer.from([0x80, 2, 0x7d]));
    await expect(resolveModel(url, world.options(), SEAMS)).rejects.toMatchObject({ code: "ERR_FORBIDDEN_FORMAT" });
    expect(await listModels(world.home)).toEqual([]);
  });
});
