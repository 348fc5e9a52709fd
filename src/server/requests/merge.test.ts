import { expect, test } from "vitest";
import { merge } from "./merge.js";

const turn = () => new Promise((resolve) => setImmediate(resolve));

async function* counting(name: string, most: number): AsyncGenerator<string> {
  for (let i = 0; i < most; i++) {
    yield `${name}${i}`;
    await turn();
  }
}

test("values come as their sources have them", async () => {
  const all: string[] = [];
  for await (const value of merge([counting("a", 2), counting("b", 3)])) all.push(value);
  expect(all).toEqual(["a0", "b0", "a1", "b1", "b2"]);
  for await (const value of merge([])) throw new Error(String(value));
});

test("a source that fails ends it, after what had come", async () => {
  const failing = async function* () {
    yield* counting("b", 1);
    throw new Error("b is broken");
  };
  const all: string[] = [];
  const read = async () => {
    for await (const value of merge([counting("a", 1000), failing()])) all.push(value);
  };
  await expect(read()).rejects.toThrow("b is broken");
  expect(all.slice(0, 2)).toEqual(["a0", "b0"]);
});

test("a source costs nothing while it has nothing", async () => {
  const never = async function* (): AsyncGenerator<string> {
    await new Promise(() => {});
    yield "";
  };
  const many = async function* () {
    for (let i = 0; i < 20_000; i++) yield `${i}`;
    await turn();
    throw new Error("enough");
  };
  const start = performance.now();
  let count = 0;
  const read = async () => {
    for await (const value of merge([...Array.from({ length: 1000 }, never), many()])) count += Number(value !== "");
  };
  await expect(read()).rejects.toThrow("enough");
  expect(count).toBe(20_000);
  expect(performance.now() - start).toBeLessThan(2000); // 20 million promises take ten times that
});
