import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { importsOf, layerErrors } from "./check-layers.mjs";

const roots = [];
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true });
});

/** A temporary project: { "src/…": text }. */
function project(files) {
  const root = mkdtempSync(join(tmpdir(), "gemma-layers-"));
  roots.push(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

test("imports that point down, inside a folder, or to packages pass", () => {
  const root = project({
    "src/base/errors.ts": "export const a = 1;",
    "src/format/gguf.ts": 'import { a } from "../base/errors.js";\nimport { z } from "./zip.js";',
    "src/format/zip.ts": 'import { x } from "fflate";',
    "src/cli/main.ts": 'import { a } from "../base/errors.js";\nimport fs from "node:fs";',
    "src/index.ts": 'export { gemma } from "./runtime/gemma.js";',
    "src/runtime/gemma.ts": "export const gemma = 1;",
  });
  expect(layerErrors(root)).toEqual([]);
});

test.each([
  ["up", "src/base/errors.ts", 'import { g } from "../format/gguf.js";', "src/format/gguf.ts"],
  ["up, as a type", "src/base/errors.ts", 'import type { g } from "../format/gguf.js";', "src/format/gguf.ts"],
  ["up, re-exported", "src/base/errors.ts", 'export * from "../format/gguf.js";', "src/format/gguf.ts"],
  ["up, dynamic", "src/base/errors.ts", 'const g = await import("../format/gguf.js");', "src/format/gguf.ts"],
  ["up, over several lines", "src/base/a.ts", 'import {\n  b,\n  c,\n} from "../lm/b.js";', "src/lm/b.ts"],
  ["sideways", "src/model/gemma.ts", 'import { e } from "../tokenizer/encode.js";', "src/tokenizer/encode.ts"],
  ["adapter to adapter", "src/integrations/a/x.ts", 'import "../b/y.js";', "src/integrations/b/y.ts"],
  ["backend to backend", "src/backends/native/a.ts", 'import "../reference/b.js";', "src/backends/reference/b.ts"],
])("an import that points %s fails", (_, from, text, to) => {
  const root = project({ [from]: text, [to]: "export const g = 1;" });
  expect(layerErrors(root)).toEqual([expect.stringContaining(`${from}: imports ../`)]);
});

test("a Node module in a browser-safe folder fails, also without node:", () => {
  const root = project({
    "src/tokenizer/encode.ts": 'import { readFileSync } from "node:fs";',
    "src/model/gemma.ts": 'import { readFile } from "fs/promises";',
    "src/load/cache.ts": 'import { readFileSync } from "node:fs";',
  });
  expect(layerErrors(root)).toEqual([
    expect.stringContaining("src/model/gemma.ts: imports fs/promises"),
    expect.stringContaining("src/tokenizer/encode.ts: imports node:fs"),
  ]);
});

test("an optional package fails outside of its own folder", () => {
  const root = project({
    "src/integrations/langchain/a.ts": 'import { tool } from "@langchain/core/tools";',
    "src/integrations/ai-sdk/a.ts": 'import type { JSONValue } from "@ai-sdk/provider";',
    "src/runtime/a.ts": 'import type { Tool } from "@langchain/core/tools";',
    "src/runtime/b.ts": 'import ai from "ai";',
  });
  expect(layerErrors(root)).toEqual([
    "src/runtime/a.ts: imports @langchain/core/tools, which only integrations/langchain may",
  ]);
});

test("an import cycle fails; one of types alone does not", () => {
  const cyclic = { "src/base/a.ts": 'import "./b.js";', "src/base/b.ts": 'import { a } from "./a.js";' };
  expect(layerErrors(project(cyclic))).toEqual(["import cycle: base/a.ts -> base/b.ts -> base/a.ts"]);
  const ofTypes = { ...cyclic, "src/base/b.ts": 'import type { a } from "./a.js";' };
  expect(layerErrors(project(ofTypes))).toEqual([]);
});

test("a folder without a level fails; tests may import anything", () => {
  const root = project({ "src/misc/a.ts": "", "src/base/a.test.ts": 'import "../misc/a.js";\nimport "node:fs";' });
  expect(layerErrors(root)).toEqual([expect.stringContaining('"misc" has no level')]);
});

test("comments are not imports", () => {
  expect(importsOf('// import "./a.js";\n/* import "./b.js"; */\nexport const text = "import";')).toEqual([]);
});

test("a Node module that a page would reach fails with the way there; types and what only Node reaches do not", () => {
  const root = project({
    "src/web/index.ts": 'import { open } from "../load/open.js";\nimport type { d } from "../load/disk.js";',
    "src/web/worker-web.ts": 'const later = await import("../load/lazy.js");',
    "src/load/open.ts": "export const open = 1;",
    "src/load/disk.ts": 'import { readFileSync } from "node:fs";\nexport const d = 1;',
    "src/load/lazy.ts": 'import { join } from "node:path";',
  });
  expect(layerErrors(root)).toEqual(["pages cannot import node:path: web/worker-web.ts -> load/lazy.ts"]);
});
