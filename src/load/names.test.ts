import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { expectFileName, expectModelName, isModelName, parseDigest } from "./names.js";
import { realpathInside } from "./real-path.js";

const HEX = "456402914e838a953e0cf80caa6adbe75383d9e63584a964f504a7bbb8f7aad9";

test.each(["a", "gemma-3-270m", "gemma-1.1-2b-it", "0", "a_b", "x".repeat(63), "console"])(
  "%s is a model name",
  (name) => expect(isModelName(name)).toBe(true),
);

const ESCAPES = [
  "",
  ".",
  "..",
  "../x",
  "..%2fx",
  "..\\x",
  "/etc/passwd",
  "a/b",
  "a\\b",
  "C:",
  "C:x",
  "\\\\host\\share",
  "a\0b",
  "a\n",
  " a",
  "a ",
  "a.",
  "con",
  "nul.gguf",
  "com1",
  ".hidden",
  "-rf",
  "\u2024\u2024/x", // one dot leaders
  "\uff0e\uff0e", // full-width dots
  "\u2025", // two dot leader
  "gemm\u0430", // a Cyrillic letter
  "a:stream",
  "x".repeat(300),
];

test.each([...ESCAPES, "Gemma"])("%j is no model name", (name) => {
  expect(() => expectModelName(name)).toThrow(expect.objectContaining({ code: "ERR_INVALID_NAME" }));
});

test.each(ESCAPES)("%j is no file name", (name) => {
  expect(() => expectFileName(name, "server")).toThrow(expect.objectContaining({ code: "ERR_PATH_ESCAPE" }));
});

test("file names may have capitals", () =>
  expect(expectFileName("Model-Q4_K_M.gguf", "server")).toBe("Model-Q4_K_M.gguf"));

test("digests are 64 lower-case hex digits, with or without their kind", () => {
  expect(parseDigest(HEX, "x")).toBe(HEX);
  expect(parseDigest(`sha256:${HEX}`, "x")).toBe(HEX);
  expect(parseDigest(`sha256-${HEX}`, "x")).toBe(HEX);
});

test.each([
  "",
  "sha256",
  "sha256:",
  `sha256:${HEX.slice(1)}`,
  `sha256:${HEX}a`,
  `sha256:${HEX.toUpperCase()}`,
  `sha256/${HEX}`,
  `sha512:${HEX}`,
  `../sha256:${HEX}`,
  `sha256:../${HEX}`,
  `sha256:${HEX.slice(0, 61)}/..`,
  `sha256:${HEX}\n`,
])("%j is no digest", (text) => {
  expect(() => parseDigest(text, "x")).toThrow(expect.objectContaining({ code: "ERR_INVALID_VALUE" }));
});

test("a link may not lead out of its folder", async () => {
  const folder = await mkdtemp(join(tmpdir(), "gemma-names-"));
  await mkdir(join(folder, "root"));
  await mkdir(join(folder, "root-other")); // begins like the root's name
  await writeFile(join(folder, "root", "file"), "");
  await symlink("file", join(folder, "root", "inner"));
  await symlink("../root-other", join(folder, "root", "outer"));
  const root = join(folder, "root");
  expect(await realpathInside(root, join(root, "inner"))).toMatch(/file$/);
  await expect(realpathInside(root, join(root, "outer"))).rejects.toMatchObject({ code: "ERR_PATH_ESCAPE" });
  await expect(realpathInside(root, join(root, ".."))).rejects.toMatchObject({ code: "ERR_PATH_ESCAPE" });
  await expect(realpathInside(root, join(root, "nothing"))).rejects.toMatchObject({ code: "ERR_MISSING_FILE" });
  await rm(folder, { recursive: true });
});
