import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

test("no memory outside V8 becomes an ArrayBuffer: Electron refuses that", () => {
  const folder = new URL("./", import.meta.url);
  const sources = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => /\.(cc|h)$/.test(name));
  expect(sources.length).toBeGreaterThan(10);
  for (const name of sources) {
    const source = readFileSync(new URL(name, folder), "utf8");
    expect(source, name).not.toMatch(/napi_create_external_(arraybuffer|buffer)|napi_create_buffer\b/);
  }
});
