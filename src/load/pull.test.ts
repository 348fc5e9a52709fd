import { mkdir, readdir, readFile, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { serveFile } from "../../test/helpers/https-server.js";
import { GGUF, PullServer, SEAMS, sha256 } from "../../test/helpers/pull-server.js";
import { TINY } from "../../test/helpers/tiny-models.js";
import { GemmaError } from "../base/errors.js";
import { gemmaHome, listModels } from "./cache.js";
import type { CatalogueEntry } from "./catalogue.js";
import { pull, removeModel, resolveModel } from "./pull.js";
import { TUNED_MODELS, type TunedModel } from "./tuned.js";

const world = new PullServer();

describe("the catalogue and the cache", () => {
  const entry = (sources: string[]): CatalogueEntry => ({
    name: "tiny",
    aliases: ["tiny-pt"],
    label: "a test",
    sources,
    file: { name: "tiny.gguf", sizeBytes: GGUF.length, sha256: sha256(GGUF) },
  });

  test("sources are tried in order, and the hash holds for all of them", async () => {
    world.answer = (req, res) => {
      if (req.url === "/wrong.gguf") serveFile(Buffer.alloc(GGUF.length))(req, res);
      else if (req.url === "/right.gguf") serveFile(GGUF)(req, res);
      else res.writeHead(404).end();
    };
    const at = (path: string) => `https://good.example:${world.server.port}${path}`;
    const catalogue = [entry([at("/none.gguf"), at("/wrong.gguf"), at("/right.gguf")])];
    const model = await resolveModel("Tiny-PT", world.options(), { ...SEAMS, catalogue });
    expect(model).toMatchObject({ name: "tiny", origin: at("/right.gguf") });
    expect(world.notices.length).toBe(3);
    expect((await listModels(world.home))[0]).toMatchObject({
      verified: true,
      files: [{ checkedAgainst: "catalogue" }],
    });
  });

  test("when no source works, every reason and every way to get weights is told", async () => {
    world.answer = (_req, res) => void res.writeHead(503).end();
    const catalogue = [entry(["hf:o/r:m.gguf", `https://good.example:${world.server.port}/m.gguf`])];
    const error = await resolveModel("tiny", world.options(), { ...SEAMS, catalogue }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: "ERR_NETWORK", message: expect.stringMatching(/503.*503/s) });
    for (const way of ["hf:", "kaggle:", "https://", "pip:", "path"]) {
      expect(error).toMatchObject({ hint: expect.stringContaining(way) });
    }
  });

  test.each([{ GEMMA_OFFLINE: "1" }, { HF_HUB_OFFLINE: "true" }])(
    "offline (%j) tells what would be needed",
    async (env) => {
      await expect(resolveModel("hf:o/r", world.options(env), SEAMS)).rejects.toMatchObject({
        code: "ERR_OFFLINE",
        message: expect.stringContaining("hf:o/r"),
      });
      expect(world.server.seen.length).toBe(0);
    },
  );

  test("unknown names list the known ones; a repository gets a word on hf:", async () => {
    await expect(resolveModel("gemma-9", world.options(), SEAMS)).rejects.toMatchObject({
      code: "ERR_UNKNOWN_MODEL",
      hint: expect.stringContaining("gemma-3-270m"),
    });
    await expect(resolveModel("google/gemma-2b", world.options(), SEAMS)).rejects.toMatchObject({
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
    const result = await resolveModel(text, world.options(), SEAMS).catch((reason: unknown) => reason);
    if (text !== ".") expect(result).toBeInstanceOf(GemmaError);
    expect(await readdir(world.home)).toEqual([]);
    expect(world.server.seen.length).toBe(0);
  });

  describe("a model of the package", () => {
    const catalogue = [{ name: "tiny", label: "a test", sources: ["hf:o/r"] }];
    const own: TunedModel = { name: "tiny-it", label: "a test", base: "tiny", adapter: TINY.adapter };
    beforeAll(() => void (TUNED_MODELS as TunedModel[]).push(own));
    afterAll(() => void (TUNED_MODELS as TunedModel[]).pop());

    test("is its base, with an adapter", async () => {
      world.answer = world.hub({ "m.gguf": GGUF });
      const { path, origin } = await resolveModel("tiny", world.options(), { ...SEAMS, catalogue });
      const tuned = await resolveModel("Tiny-IT", world.options(), { ...SEAMS, catalogue });
      expect(tuned).toEqual({ path, origin, base: "tiny", name: "tiny-it", adapter: TINY.adapter });
    });

    test("is not in the cache, and not removed from it", async () => {
      await expect(removeModel("tiny-it", world.home)).rejects.toMatchObject({
        code: "ERR_USAGE",
        hint: "gemma rm tiny removes the weights that it is on",
      });
    });
  });

  test("a path is used in place; a missing one is named", async () => {
    const path = join(world.home, "mine.gguf");
    await writeFile(path, GGUF);
    expect(await resolveModel(path, world.options(), SEAMS)).toEqual({ path, name: "mine.gguf", origin: path });
    await expect(resolveModel(join(world.home, "none.gguf"), world.options(), SEAMS)).rejects.toMatchObject({
      code: "ERR_MISSING_FILE",
    });
    expect(await readdir(world.home)).toEqual(["mine.gguf"]);
  });

  test("a changed byte is found by pull, a changed size by use; both fetch the model anew", async () => {
    world.answer = world.hub({ "m.gguf": GGUF });
    const { path } = await resolveModel("hf:o/r", world.options(), SEAMS);
    const broken = Buffer.from(GGUF);
    broken[100] = 1;
    await writeFile(path, broken);
    await pull("hf:o/r", world.options(), SEAMS);
    expect(await readFile(path)).toEqual(GGUF);
    await truncate(path, 100);
    expect(await listModels(world.home)).toEqual([]);
    await resolveModel("hf:o/r", world.options(), SEAMS);
    expect(await readFile(path)).toEqual(GGUF);
    const before = world.server.seen.length;
    await pull("hf:o/r", world.options(), SEAMS);
    expect(world.server.seen.length).toBe(before); // intact: nothing to fetch
  });

  test("remove takes the model and what a cut pull left, and follows no link", async () => {
    world.answer = world.hub({ "m.gguf": GGUF });
    const { name } = await resolveModel("hf:o/r", world.options(), SEAMS);
    await removeModel(name, world.home);
    await expect(removeModel(name, world.home)).rejects.toMatchObject({ code: "ERR_UNKNOWN_MODEL" });
    await expect(removeModel("../models", world.home)).rejects.toMatchObject({ code: "ERR_INVALID_NAME" });

    await mkdir(join(world.home, "precious"));
    await writeFile(join(world.home, "precious", "manifest.json"), "{}");
    await symlink(join(world.home, "precious"), join(world.home, "models", "linked"));
    await expect(resolveModel("linked", world.options(), SEAMS)).rejects.toMatchObject({ code: "ERR_PATH_ESCAPE" });
    await removeModel("linked", world.home);
    expect(await readdir(join(world.home, "models"))).toEqual([]);
    expect(await readdir(join(world.home, "precious"))).toEqual(["manifest.json"]);
  });

  test("a manifest that names files elsewhere is not believed", async () => {
    const folder = join(world.home, "models", "evil");
    await mkdir(folder, { recursive: true });
    for (const name of ["../../secret", "/etc/passwd", "..", "a/b"]) {
      const files = [{ name, sizeBytes: 1, sha256: "0".repeat(64), checkedAgainst: "none" }];
      await writeFile(join(folder, "manifest.json"), JSON.stringify({ origin: "x", pulledAt: "x", files }));
      expect(await listModels(world.home)).toEqual([]);
    }
    await writeFile(join(folder, "manifest.json"), '{"__proto__":{"polluted":true},"files":[]}');
    expect(await listModels(world.home)).toEqual([]);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test("a cache folder that cannot be used is named", async () => {
    await writeFile(join(world.home, "file"), "");
    const bad = { ...world.options(), home: join(world.home, "file") };
    await expect(resolveModel("hf:o/r", bad, SEAMS)).rejects.toMatchObject({
      code: "ERR_IO",
      message: expect.stringContaining(join(world.home, "file")),
    });
  });

  test("the cache folder follows GEMMA_HOME, then XDG_CACHE_HOME, then the home folder", () => {
    expect(gemmaHome({ GEMMA_HOME: "/a", XDG_CACHE_HOME: "/b", HOME: "/c" })).toBe("/a");
    expect(gemmaHome({ XDG_CACHE_HOME: "/b", HOME: "/c" })).toBe(join("/b", "gemma-ts"));
    expect(gemmaHome({ XDG_CACHE_HOME: "relative", HOME: "/c" })).toBe(join("/c", ".cache", "gemma-ts"));
  });
});
