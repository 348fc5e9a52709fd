import { h, type VNode } from "../../dom/node.js";
import type { Texts } from "../../text/texts.js";
import type { EndpointSettings } from "../engines/endpoint.js";

/** Address, model and key of a server. The address is remembered, the key never is. */
export function serverForm(texts: Texts, use: (settings: EndpointSettings) => void): VNode {
  const { model } = texts.playground;
  const onsubmit = (event: SubmitEvent) => {
    event.preventDefault();
    const data = new FormData(event.target as HTMLFormElement);
    const [url, name, key] = ["url", "name", "key"].map((field) => String(data.get(field) ?? ""));
    remember(url!);
    use({ url: url!, model: name!, key: key! });
  };
  const field = (name: "url" | "name" | "key", attrs: Record<string, string | boolean>, hint?: string) =>
    h(
      "p",
      {},
      h("label", { for: `server-${name}` }, model[name]),
      h("input", { id: `server-${name}`, name, autocomplete: "off", spellcheck: "false", ...attrs }),
      hint !== undefined && h("small", {}, hint),
    );
  return h(
    "form",
    { class: "server", onsubmit },
    field("url", { type: "url", required: true, placeholder: "http://localhost:8080/v1", value: remembered() }),
    field("name", { type: "text" }),
    field("key", { type: "password" }, model.keyHint),
    h("button", { type: "submit", class: "primary" }, model.connect),
  );
}

const KEY = "server";

function remembered(): string {
  // On the reader's own machine this page probably comes from a `gemma serve`.
  const own = /^(localhost|127\.0\.0\.1)$/.test(location.hostname) ? `${location.origin}/v1` : "";
  try {
    return localStorage.getItem(KEY) ?? own;
  } catch {
    return own;
  }
}

function remember(url: string): void {
  try {
    localStorage.setItem(KEY, url);
  } catch {
    // Storage is blocked: it is typed again next time.
  }
}
