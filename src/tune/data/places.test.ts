import { expect, test } from "vitest";
import { Places } from "./places.js";

const textOf = (...places: string[]) => {
  const all = new Places();
  for (const at of places) all.add(at);
  return String(all);
};

test("neighbours are a range, a file is named once", () => {
  expect(textOf("a.jsonl:3")).toBe("a.jsonl:3");
  expect(textOf("a:b.jsonl:3", "a:b.jsonl:4", "a:b.jsonl:5", "a:b.jsonl:9", "c.json[0]", "c.json[2]")).toBe(
    "a:b.jsonl:3-5,9 c.json:0,2",
  );
});

test("of very many runs the first thousand are named", () => {
  const text = textOf(...Array.from({ length: 1500 }, (_, i) => `a.csv:${2 * i + 2}`));
  expect(text.split(",")).toHaveLength(1000);
  expect(text).toMatch(/,1998,2000 and others$/);
});
