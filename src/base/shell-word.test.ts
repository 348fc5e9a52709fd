import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { shellWord } from "./shell-word.js";

test("plain paths stay as they are", () => {
  expect(shellWord("../runs/a-1_b.gguf")).toBe("../runs/a-1_b.gguf");
});

test.each(["my run", "it's", "a'b'c d", "$HOME/`x`", "a\nb", "Läufe", "~", ""])(
  "a shell takes %j as one word",
  (path) => {
    expect(execFileSync("sh", ["-c", `printf %s ${shellWord(path)}`], { encoding: "utf8" })).toBe(path);
  },
);
