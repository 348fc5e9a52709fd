import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { hasStoryteller } from "../../test/helpers/tiny-models.js";
import { pull, removeModel, resolveModel } from "./pull.js";
import { SHIPPED_MODELS, SHIPPED_ORIGIN } from "./shipped.js";
import { expectWhole } from "./tuned.js";

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "gemma-shipped-"));
});
afterAll(() => rm(home, { recursive: true }));

test.skipIf(!hasStoryteller)("all of them are here, and their names are those of their files", () => {
  expect(SHIPPED_MODELS.map(({ name }) => name)).toEqual(["gemma-tiny-ts"]);
  for (const { name, path } of SHIPPED_MODELS) expect(path.endsWith(`/models/${name}/${name}.gguf`)).toBe(true);
});

test.each(SHIPPED_MODELS)("$name needs no download and no cache, in any case of letters", async ({ name, path }) => {
  const options = { home, offline: true };
  const found = { name, path, origin: SHIPPED_ORIGIN };
  expect(await resolveModel(name, options)).toEqual(found);
  expect(await resolveModel(name.toUpperCase(), options)).toEqual(found);
  expect(await pull(name, options)).toEqual(found);
  expect(() => expectWhole(name, "model")).not.toThrow();
  expect(await readdir(home)).toEqual([]);
});

test.skipIf(!hasStoryteller)("it is not removed, and named where a name is not known", async () => {
  await expect(removeModel("gemma-tiny-ts", home)).rejects.toMatchObject({ code: "ERR_USAGE" });
  const hint = expect.stringContaining("gemma-tiny-ts");
  await expect(resolveModel("gemma-tiny", { home })).rejects.toMatchObject({ code: "ERR_UNKNOWN_MODEL", hint });
});
