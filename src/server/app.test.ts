import { expect, test } from "vitest";
import { get, post, tinyServer } from "../../test/helpers/server.js";

test("a method that a path does not take is a 405 that says which it does", async () => {
  const own = await tinyServer();
  const response = await get(own, "/v1/completions");
  expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
  await own.dispose();
});

test("a server that was disposed tells its requests to come again, to another", async () => {
  const own = await tinyServer();
  const running = post(own, "/v1/completions", { prompt: "fox", max_tokens: 240, ignore_eos: true });
  await new Promise((resolve) => setTimeout(resolve, 20));
  await own.dispose();
  const { status, headers } = await running;
  expect([status, headers.has("retry-after")]).toEqual([503, true]);
});
