import { expect, test, vi } from "vitest";
import { AdapterStore } from "./adapters.js";

const adapter = (name: string) => ({ name, layers: [] });

test("names find adapters; none and unknown ones", () => {
  const store = new AdapterStore(vi.fn());
  store.add(adapter("a"));
  store.add(adapter("b"));
  expect(store.get(undefined)).toBe(null);
  expect([store.get("a")?.id, store.get("b")?.id]).toEqual([1, 2]);
  const message = "adapter: must be one that is loaded (a, b), got c";
  expect(() => store.get("c")).toThrow(expect.objectContaining({ code: "ERR_UNKNOWN_MODEL", message }));
  expect(() => store.remove("c")).toThrow(expect.objectContaining({ code: "ERR_UNKNOWN_MODEL" }));
  expect(() => store.add(adapter(""))).toThrow(expect.objectContaining({ code: "ERR_INVALID_NAME" }));
});

test("one that is removed or replaced is freed once, when its last user is gone", () => {
  const free = vi.fn();
  const store = new AdapterStore(free);
  store.add(adapter("a"));
  const first = store.get("a");
  store.hold(first);
  store.hold(first);
  store.add(adapter("a"));
  expect(store.get("a")?.id).toBe(2);
  store.release(first);
  store.hold(null);
  store.release(null);
  expect(free).not.toHaveBeenCalled();
  store.release(first);
  expect(free.mock.calls.map(([{ id }]) => id)).toEqual([1]);
  store.remove("a");
  expect(free.mock.calls.map(([{ id }]) => id)).toEqual([1, 2]);
  store.add(adapter("a"));
  expect(store.get("a")?.id).toBe(3); // a number is not given twice
});

test("a model's own is what those have that choose none, and has no name", () => {
  const free = vi.fn();
  const store = new AdapterStore(free);
  store.setOwn(adapter("m"));
  const own = store.get(undefined);
  expect(own?.adapter.name).toBe("m");
  expect(() => store.get("m")).toThrow(expect.objectContaining({ code: "ERR_UNKNOWN_MODEL" }));
  store.hold(own);
  store.setOwn(adapter("other"));
  expect(free).not.toHaveBeenCalled();
  store.release(own);
  expect(free.mock.calls.map(([{ id }]) => id)).toEqual([own?.id]);
});
