import { expect, test } from "vitest";
import type { Backend, BackendFactory, BackendName } from "../backend/backend.js";
import { chooseWebBackend } from "./backends.js";

/** A backend that is only asked for its name. */
function factory(name: string, available: true | string): BackendFactory {
  const info = () => ({ name: name as BackendName, isa: "js", threads: 1, activations: "f32" as const });
  return {
    name: name as BackendName,
    available: async () => available,
    create: async () => ({ info, lacks: [] }) as unknown as Backend,
  };
}

async function chosen(backends: readonly BackendFactory[], name?: string) {
  const notes: string[] = [];
  const backend = await chooseWebBackend(name as BackendName, {}, (line) => notes.push(line), backends);
  return { name: backend.info().name, notes };
}

const reference = factory("reference", true);

test("the first that runs, and a line where it is not the first", async () => {
  expect(await chosen([factory("fast", true), factory("slow", true), reference])).toEqual({ name: "fast", notes: [] });
  expect(await chosen([factory("fast", "no GPU"), factory("slow", true), reference])).toEqual({
    name: "slow",
    notes: ["backend: slow (fast cannot run here: no GPU)"],
  });
});

test("the reference only where it is asked for", async () => {
  await expect(chosen([factory("fast", "no GPU"), reference])).rejects.toMatchObject({
    code: "ERR_BACKEND_UNAVAILABLE",
    message: "backend: one must run here, got fast cannot run here: no GPU",
  });
  expect(await chosen([factory("fast", true), reference], "reference")).toEqual({ name: "reference", notes: [] });
});

test("no other in place of the one that was asked for", async () => {
  const backends = [factory("fast", "no GPU"), factory("slow", true)];
  await expect(chosen(backends, "fast")).rejects.toMatchObject({ code: "ERR_BACKEND_UNAVAILABLE" });
  await expect(chosen(backends, "native")).rejects.toMatchObject({
    code: "ERR_USAGE",
    message: "backend: must be one of fast, slow in a page, got native",
  });
});
