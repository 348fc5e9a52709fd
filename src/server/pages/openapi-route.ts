import { z } from "@hono/zod-openapi";
import { operation } from "../routes.js";

export const openApiRoute = operation({
  method: "get",
  path: "/openapi.json",
  summary: "This API as an OpenAPI 3.1 document",
  tag: "Operation",
  isPage: true,
  response: z.record(z.string(), z.unknown()).openapi("Document"),
  handle: (serving) => Response.json(serving.document(), { headers: { "cache-control": "private, no-cache" } }),
});
