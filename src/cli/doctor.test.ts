import { expect, test } from "vitest";
import { masked } from "./doctor.js";
import { parseCpuList } from "./machine.js";

test("a proxy's user name and password are never shown", () => {
  expect(masked("http://me:hunter2@proxy.example:3128")).toBe("http://***@proxy.example:3128");
  expect(masked("http://me:p@ss@proxy.example")).toBe("http://***@proxy.example");
  expect(masked("me:hunter2@proxy.example:3128")).toBe("***@proxy.example:3128");
  expect(masked("http://proxy.example:3128/")).toBe("http://proxy.example:3128/");
  expect(masked("localhost,.example.org")).toBe("localhost,.example.org");
});

test("Linux's lists of CPUs", () => {
  expect(parseCpuList("0-3,8")).toEqual([0, 1, 2, 3, 8]);
  expect(parseCpuList("5")).toEqual([5]);
});
