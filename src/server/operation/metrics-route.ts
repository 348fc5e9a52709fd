import { operation } from "../routes.js";

export const metricsRoute = operation({
  method: "get",
  path: "/metrics",
  summary: "Metrics in Prometheus' text format",
  tag: "Operation",
  scope: "metrics",
  response: "text/plain",
  async handle({ metrics }) {
    return new Response(await metrics.text(), { headers: { "content-type": metrics.registry.contentType } });
  },
});
