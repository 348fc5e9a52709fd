import { OpenAPIHono, z } from "@hono/zod-openapi";
import { packageVersion } from "../load/package-version.js";
import { errorSchema } from "./openai/fields.js";
import type { AnyOperation } from "./routes.js";

const TAGS: Readonly<Record<AnyOperation["tag"], string>> = {
  OpenAI: "What OpenAI's clients ask for.",
  Ollama: "What Ollama's clients ask for.",
  Tokens: "Texts to token ids and back.",
  Adapters: "LoRA adapters, loaded while the server runs. The key needs the scope admin.",
  Operation: "Health and metrics.",
};

const ollamaErrorSchema = z.object({ error: z.string() }).openapi("OllamaError");

const FAILURES: Readonly<Record<number, string>> = {
  400: "The request is not what the API takes.",
  401: "A key is missing, unknown or expired.",
  403: "The host, the origin or the key may not do this.",
  404: "No such model or path.",
  413: "The body is too large.",
  415: "The body is not JSON.",
  429: "Too many requests wait, or the key's rate is used up.",
  500: "The engine has failed.",
  503: "The model is loading or restarting, or the server is overloaded or shutting down.",
};

/**
 * The OpenAPI 3.1 document of the operations, from the schemas that check their requests.
 * @param model  the name that examples have
 */
export function openApiDocument(operations: readonly AnyOperation[], model: string): object {
  const api = new OpenAPIHono();
  api.openAPIRegistry.registerComponent("securitySchemes", "key", {
    type: "http",
    scheme: "bearer",
    description: "A key of this server, where it was started with keys.",
  });
  for (const one of operations) if (!one.isHidden) describe(api, one, model);
  return api.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "gemma.ts",
      version: packageVersion(),
      description: "Gemma behind the APIs of OpenAI and Ollama.",
      license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
    },
    servers: [{ url: "./" }], // where the document was found, also behind a prefix
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
  });
}

function describe(api: OpenAPIHono, one: AnyOperation, model: string): void {
  const { method, path, summary, tag, body, example, response, streams, scope } = one;
  const content = typeof response === "string" ? { [response]: { schema: TEXT } } : json(response);
  const events = streams === undefined ? {} : { [streams]: { schema: TEXT } };
  const failure = json(tag === "Ollama" ? ollamaErrorSchema : errorSchema);
  const failures = Object.entries(FAILURES).map(([status, description]) => [status, { description, content: failure }]);
  api.openAPIRegistry.registerPath({
    method,
    path: path.replace(/:(\w+)/g, "{$1}"),
    operationId: operationId(method, path),
    summary,
    tags: [tag],
    security: scope === null ? [] : [{ key: [] }],
    request: body === undefined ? {} : { body: { required: true, content: json(body, example?.(model)) } },
    parameters: Array.from(path.matchAll(/:(\w+)/g), ([, name]) => ({
      name: name!,
      in: "path" as const,
      required: true,
      schema: { type: "string" as const },
    })),
    responses: {
      200: { description: "The answer.", content: { ...content, ...events } },
      ...Object.fromEntries(failures),
    },
  });
}

const TEXT = { type: "string" as const };

function json(schema: z.ZodType, example?: unknown) {
  return { "application/json": { schema, ...(example === undefined ? {} : { example }) } };
}

/** `postV1ChatCompletions` */
function operationId(method: string, path: string): string {
  const words = path.split(/[^A-Za-z0-9]+/).filter((word) => word !== "");
  return method + words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join("");
}
