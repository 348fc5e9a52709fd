import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { isBuilt } from "../helpers/built-cli.js";

const HOOK = `
export async function load(url, context, next) {
  process._rawDebug(url);
  return next(url, context);
}`;

test.skipIf(!isBuilt)("what runs a cached model loads no network client", async () => {
  const files = ["model", "platform-node"].map(
    (name) => new URL(`../../dist/runtime/${name}.js`, import.meta.url).href,
  );
  const script = `
    import { register } from "node:module";
    register("data:text/javascript," + encodeURIComponent(${JSON.stringify(HOOK)}));
    for (const file of ${JSON.stringify(files)}) await import(file);`;
  const { stderr } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], {
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
  });
  expect(stderr).toContain("dist/load/pull.js");
  expect(stderr.split("\n").filter((url) => /undici|fflate|ipaddr/.test(url))).toEqual([]);
});
