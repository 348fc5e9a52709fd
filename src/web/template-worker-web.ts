import { renderTemplate, type TemplateInput } from "../runtime/template-render.js";

interface WorkerScope {
  postMessage(message: unknown): void;
  onmessage: ((event: MessageEvent<TemplateInput>) => void) | null;
}

const scope = globalThis as unknown as WorkerScope;
scope.onmessage = ({ data }) => scope.postMessage(renderTemplate(data));
scope.postMessage("ready");
