import { ollamaChat } from "./ollama/chat.js";
import { ollamaEmbed, ollamaEmbeddings } from "./ollama/embed.js";
import { ollamaGenerate } from "./ollama/generate.js";
import { ollamaPs, ollamaShow, ollamaTags, ollamaVersion } from "./ollama/models.js";
import { unsupported } from "./ollama/unsupported.js";
import { chatCompletions } from "./openai/chat.js";
import { completions } from "./openai/completions.js";
import { embeddings } from "./openai/embeddings.js";
import { getModel, listModels } from "./openai/models.js";
import { responses } from "./openai/responses.js";
import { detokenize, tokenize } from "./openai/tokenize.js";
import { loadAdapter, unloadAdapter } from "./operation/adapters.js";
import { health } from "./operation/health.js";
import { metricsRoute } from "./operation/metrics-route.js";
import { docs } from "./pages/docs.js";
import { openApiRoute } from "./pages/openapi-route.js";
import { root } from "./pages/root.js";
import { site } from "./pages/site.js";
import { weights } from "./pages/weights.js";

/** Everything that the server answers to. */
export const OPERATIONS = [
  chatCompletions,
  responses,
  completions,
  embeddings,
  listModels,
  getModel,
  ollamaChat,
  ollamaGenerate,
  ollamaEmbed,
  ollamaEmbeddings,
  ollamaTags,
  ollamaShow,
  ollamaPs,
  ollamaVersion,
  ...unsupported,
  tokenize,
  detokenize,
  loadAdapter,
  unloadAdapter,
  ...health,
  metricsRoute,
  root,
  openApiRoute,
  ...docs,
  ...site,
  ...weights,
];
