import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { Call } from "./call.js";

function started() {
  const client = new AbortController();
  const request = new Request("http://localhost/v1/models", { signal: client.signal });
  return { client, request, call: new Call(request) };
}

describe("Call", () => {
  test("is aborted when its client leaves, before it began or afterwards", () => {
    const { client, call } = started();
    expect(call.signal.aborted).toBe(false);
    client.abort();
    expect(call.signal.reason).toMatchObject({ name: "AbortError", message: "the client has left" });

    const request = new Request("http://localhost/", { signal: AbortSignal.abort() });
    expect(new Call(request).signal.aborted).toBe(true);
  });

  test("listens to its request no longer than it lasts: Node keeps a request's signal, and all that this leads to", () => {
    const { client, request, call } = started();
    expect(getEventListeners(request.signal, "abort")).toHaveLength(1);
    call.end();
    expect(getEventListeners(request.signal, "abort")).toHaveLength(0);
    client.abort();
    expect(call.signal.aborted).toBe(false);
  });

  test("calls back once, in order, and at once when it has ended", () => {
    const { call } = started();
    const seen: number[] = [];
    call.whenEnded(() => seen.push(1));
    call.whenEnded(() => seen.push(2));
    call.end();
    call.end();
    call.whenEnded(() => seen.push(3));
    expect(seen).toEqual([1, 2, 3]);
  });

  test("takes the caller's id for it, unless it is none", () => {
    const id = (header: string) =>
      new Call(new Request("http://localhost/", { headers: { "x-request-id": header } })).id;
    expect(id("abc-1.2_3")).toBe("abc-1.2_3");
    expect(id("a b")).toMatch(/^[\da-f-]{36}$/);
    expect(id("x".repeat(129))).toMatch(/^[\da-f-]{36}$/);
  });
});
