import { z } from "@hono/zod-openapi";
import { operation } from "../routes.js";

const state = z.object({ status: z.string() }).openapi("State");

/** The process answers: whatever its model does, restarting it would not help. */
const live = (path: string) =>
  operation({
    method: "get",
    path,
    summary: "Whether the server is alive",
    tag: "Operation",
    scope: null,
    response: state,
    handle: () => Response.json({ status: "alive" }),
  });

/** Requests are taken: the model is loaded, the server does not shut down. */
const ready = (path: string) =>
  operation({
    method: "get",
    path,
    summary: "Whether requests are taken",
    tag: "Operation",
    scope: null,
    response: state,
    handle({ isOpen, supervisor }) {
      const isReady = isOpen && supervisor.state === "ready";
      const status = isOpen ? supervisor.state : "draining";
      return Response.json({ status }, { status: isReady ? 200 : 503, headers: isReady ? {} : { "retry-after": "1" } });
    },
  });

/** Under our names, and under those that manifests made for other servers probe. */
export const health = [
  live("/healthz"),
  live("/health/live"),
  live("/ping"),
  ready("/readyz"),
  ready("/health/ready"),
  ready("/health"),
];
