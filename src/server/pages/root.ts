import { z } from "@hono/zod-openapi";
import { packageVersion } from "../../load/package-version.js";
import { operation } from "../routes.js";
import { hasSite, siteFile } from "./site.js";

/** What somebody finds who only has the address: the site or the page, for a browser; else where things are. */
export const root = operation({
  method: "get",
  path: "/",
  summary: "What this server is",
  tag: "Operation",
  isPage: true,
  response: z
    .object({
      name: z.string(),
      version: z.string(),
      links: z.record(z.string(), z.string()),
    })
    .openapi("Server"),
  handle({ options }, call) {
    const wantsPage = call.request.headers.get("accept")?.includes("text/html") ?? false;
    if (options.site && hasSite && wantsPage) return siteFile("index.html");
    if (options.docs && wantsPage) {
      return new Response(null, { status: 302, headers: { location: "docs", vary: "accept" } });
    }
    const links = {
      models: "v1/models",
      openapi: "openapi.json",
      ...(options.docs ? { docs: "docs" } : {}),
      metrics: "metrics",
      health: "health",
    };
    return Response.json({ name: "gemma.ts", version: packageVersion(), links }, { headers: { vary: "accept" } });
  },
});
