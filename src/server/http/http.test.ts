import { describe, expect, test } from "vitest";
import { GemmaError } from "../../base/errors.js";
import { readJsonBody } from "./body.js";
import { checkHost, corsHeaders } from "./guard.js";
import { failureHeaders, httpFailure, openAiError, publicMessage } from "./statuses.js";

const post = (body: BodyInit | null, headers: Record<string, string> = { "content-type": "application/json" }) =>
  new Request("http://localhost/v1/x", { method: "POST", body, headers, duplex: "half" } as RequestInit);

describe("hosts", () => {
  test.each([
    "localhost",
    "localhost:8080",
    "localhost.",
    "LOCALHOST:1",
    "127.0.0.1:8080",
    "[::1]:8080",
    "[::1]",
    "127.0.0.2:80",
  ])("%s is this machine's", (host) => expect(() => checkHost(host, [])).not.toThrow());
  test.each([
    "evil.example:8080",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "[::2]",
    "0.0.0.0",
    "localhost@evil",
  ])("%s is not", (host) =>
    expect(() => checkHost(host, [])).toThrow(expect.objectContaining({ code: "ERR_FORBIDDEN" })),
  );
  test("others are those it was told; none is a bad request", () => {
    expect(() => checkHost("api.example:443", ["api.example"])).not.toThrow();
    expect(() => checkHost("anything", ["*"])).not.toThrow();
    expect(() => checkHost(null, ["*"])).toThrow(expect.objectContaining({ code: "ERR_BAD_REQUEST" }));
  });
});

describe("origins", () => {
  const from = (origin: string, method = "POST") =>
    new Request("http://localhost:8080/v1/x", { method, headers: { origin, host: "localhost:8080" } });
  test("none, and the server's own, need nothing", () => {
    expect(corsHeaders(new Request("http://localhost/"), [])).toBeNull();
    expect(corsHeaders(from("http://localhost:8080"), [])).toBeNull();
  });
  test.each(["https://evil.example", "null", "http://localhost:9090", "not a url"])("%s is refused", (origin) => {
    expect(() => corsHeaders(from(origin), ["https://app.example"])).toThrow(
      expect.objectContaining({ code: "ERR_FORBIDDEN" }),
    );
    if (origin === "null") expect(() => corsHeaders(from(origin), ["*"])).toThrow("origin");
  });
  test("one that is allowed is named, never all, and never with credentials", () => {
    expect(corsHeaders(from("https://app.example"), ["https://app.example"])).toMatchObject({
      "access-control-allow-origin": "https://app.example",
      vary: "Origin",
    });
    const preflight = corsHeaders(from("https://app.example", "OPTIONS"), ["*"])!;
    expect(preflight["access-control-allow-methods"]).toContain("POST");
    expect(preflight).not.toHaveProperty("access-control-allow-credentials");
  });
});

describe("bodies", () => {
  test("JSON becomes plain values, and a key such as __proto__ an ordinary one", async () => {
    const value = (await readJsonBody(post('{"__proto__":{"x":1},"a":[1]}'), 100)) as Record<string, unknown>;
    expect(Object.keys(value)).toEqual(["__proto__", "a"]);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });
  test.each([
    ["another type", post("{}", { "content-type": "text/plain" }), "ERR_MEDIA_TYPE"],
    ["no type", post(new Uint8Array([123, 125]), {}), "ERR_MEDIA_TYPE"],
    ["more than allowed", post(JSON.stringify("a".repeat(200))), "ERR_BODY_TOO_LARGE"],
    [
      "a large announcement",
      post("{}", { "content-type": "application/json", "content-length": "999999" }),
      "ERR_BODY_TOO_LARGE",
    ],
    ["broken JSON", post("{"), "ERR_INVALID_JSON"],
    ["no body", post(null), "ERR_INVALID_JSON"],
    ["100 thousand brackets", post("[".repeat(99)), "ERR_LIMIT_EXCEEDED"],
    ["bytes that are no text", post(new Uint8Array([34, 255, 34])), "ERR_INVALID_UTF8"],
  ])("%s is an error", async (_, request, code) => {
    await expect(readJsonBody(request, 100)).rejects.toMatchObject({ code });
    expect(httpFailure(new GemmaError(code as "ERR_INVALID_JSON", "")).status).toBeLessThan(500);
  });
  test("what comes in pieces is counted as it comes", async () => {
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent++;
        controller.enqueue(new Uint8Array(60).fill(0x20));
      },
    });
    await expect(readJsonBody(post(body), 100)).rejects.toMatchObject({ code: "ERR_BODY_TOO_LARGE" });
    expect(sent).toBeLessThan(6);
  });
  test("a body may come byte by byte, and grow beyond any first guess", async () => {
    const bytes = new TextEncoder().encode(JSON.stringify("gemma ".repeat(3000)));
    let at = 0;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => (at < bytes.length ? controller.enqueue(bytes.subarray(at, ++at)) : controller.close()),
    });
    expect(await readJsonBody(post(body), bytes.length)).toBe("gemma ".repeat(3000));
  });
  test("a body that breaks off is a bad request", async () => {
    const body = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(new Error("reset")) });
    await expect(readJsonBody(post(body), 100)).rejects.toMatchObject({ code: "ERR_BAD_REQUEST" });
  });
});

describe("errors", () => {
  test("have OpenAI's form, the hint included", () => {
    const error = new GemmaError("ERR_CONTEXT_FULL", "prompt: too long", { hint: "shorten it", param: "messages" });
    expect(openAiError(error)).toEqual({
      error: {
        message: "prompt: too long (shorten it)",
        type: "invalid_request_error",
        param: "messages",
        code: "context_length_exceeded",
      },
    });
  });
  test("unexpected ones say nothing of themselves", () => {
    expect(httpFailure(new Error("secret path"))).toMatchObject({ status: 500, code: "ERR_INTERNAL" });
    expect(publicMessage(new Error("secret path"))).not.toContain("secret");
    expect(publicMessage(new GemmaError("ERR_INTERNAL", "secret"))).not.toContain("secret");
    const missing = new GemmaError("ERR_MISSING_FILE", "/secret/model: text needs a tokenizer.model");
    expect([httpFailure(missing).status, publicMessage(missing)]).toEqual([500, expect.not.stringContaining("secret")]);
  });
  test("say when to try again, in whole seconds", () => {
    expect(failureHeaders(new GemmaError("ERR_QUEUE_FULL", "", { retryAfterSeconds: 1.2 }), 429)).toEqual({
      "retry-after": "2",
    });
    expect(failureHeaders(new Error(), 503)).toEqual({ "retry-after": "5" });
    expect(failureHeaders(new Error(), 400)).toEqual({});
  });
});
