import { append, dom } from "../../dom/dom.js";
import { h, type VNode } from "../../dom/node.js";
import { filled, type Texts } from "../../text/texts.js";
import type { Turn } from "../conversation.js";
import type { Measures } from "../engine.js";
import { numberText } from "../format.js";
import { AnswerText } from "./answer-text.js";
import { tokensView } from "./tokens-view.js";

/** What can be done with a turn. */
export interface TurnActions {
  /** A user's message is sent again with another text. */
  readonly resend: (text: string) => void;
  readonly regenerate: () => void;
}

/** A turn as it stands in the conversation. */
export function turnView(turn: Turn, actions: TurnActions, texts: Texts): HTMLElement {
  return turn.role === "user" ? userView(turn.text, actions, texts) : answerView(turn, actions, texts);
}

/** The frame of an answer that is being written. */
export function answerFrame(text: AnswerText, name: string): HTMLElement {
  const element = dom(h("li", { class: "turn assistant" }, h("p", { class: "speaker" }, name)));
  element.append(text.element);
  return element;
}

function userView(text: string, { resend }: TurnActions, texts: Texts): HTMLElement {
  const { chat } = texts.playground;
  const element = dom(h("li", { class: "turn user" }));
  const show = () => {
    element.replaceChildren();
    append(
      element,
      h("p", { class: "speaker" }, chat.you),
      h("div", { class: "text plain-text" }, text),
      h(
        "div",
        { class: "turn-tools" },
        h("button", { type: "button", class: "quiet small edit", onclick: edit }, chat.edit),
      ),
    );
  };
  const edit = () => {
    const area = dom<HTMLTextAreaElement>(
      h("textarea", { rows: Math.min(10, text.split("\n").length + 1), "aria-label": chat.message }, text),
    );
    const leave = () => {
      show();
      element.querySelector<HTMLElement>(".edit")!.focus();
    };
    const onsubmit = (event: Event) => {
      event.preventDefault();
      if (area.value.trim() !== "") resend(area.value);
    };
    const form = dom(h("form", { class: "edit-form", onsubmit }));
    form.append(area);
    append(
      form,
      h("button", { type: "submit", class: "primary small" }, chat.save),
      h("button", { type: "button", class: "small", onclick: leave }, chat.discard),
    );
    form.addEventListener("keydown", ({ key }) => key === "Escape" && leave());
    element.replaceChildren(form);
    area.focus();
  };
  show();
  return element;
}

function answerView(turn: Turn & { role: "assistant" }, { regenerate }: TurnActions, texts: Texts): HTMLElement {
  const { chat } = texts.playground;
  const { answer, origin, text } = turn;
  const element = answerFrame(new AnswerText(text), nameOf(origin));
  if (answer?.finish === "stopped") append(element, h("p", { class: "soft" }, chat.stopped));
  if (answer?.finish === "length") append(element, h("p", { class: "soft" }, chat.length));
  const tools = dom(h("div", { class: "turn-tools" }));
  element.append(tools);
  append(tools, h("button", { type: "button", class: "quiet small", onclick: regenerate }, chat.regenerate));
  if (navigator.clipboard !== undefined) {
    const copy = dom<HTMLButtonElement>(h("button", { type: "button", class: "quiet small" }, chat.copy));
    copy.addEventListener("click", async () => {
      await navigator.clipboard.writeText(text);
      copy.textContent = chat.copied;
    });
    tools.append(copy);
  }
  if (answer !== null) {
    if (answer.tokens.length > 0) tools.append(tokensButton(element, answer.tokens, texts));
    append(tools, measuresLine(answer.measures, texts));
  }
  return element;
}

/** Shows the tokens under the answer, on demand. */
function tokensButton(element: HTMLElement, tokens: Parameters<typeof tokensView>[0], texts: Texts): HTMLElement {
  const { chat } = texts.playground;
  const button = dom<HTMLButtonElement>(
    h("button", { type: "button", class: "quiet small", "aria-expanded": "false" }, chat.tokens),
  );
  let view: HTMLElement | null = null;
  button.addEventListener("click", () => {
    if (view === null) {
      view = tokensView(tokens, texts);
      element.append(view);
    } else {
      view.remove();
      view = null;
    }
    button.setAttribute("aria-expanded", String(view !== null));
    button.textContent = view === null ? chat.tokens : chat.hideTokens;
  });
  return button;
}

function measuresLine({ tokens, firstTokenMs, decodeMs }: Measures, texts: Texts): VNode {
  const { measures } = texts.playground;
  const parts = [filled(measures.length, { n: numberText(tokens, texts) })];
  // A rate needs two tokens at least.
  if (tokens > 1 && decodeMs > 0)
    parts.unshift(filled(measures.speed, { n: numberText(((tokens - 1) / decodeMs) * 1000, texts, 1) }));
  parts.push(filled(measures.first, { n: numberText(firstTokenMs / 1000, texts, 2) }));
  return h("span", { class: "measures", "aria-label": `${measures.label}: ${parts.join(", ")}` }, parts.join(" · "));
}

function nameOf(origin: Extract<Turn, { role: "assistant" }>["origin"]): string {
  return origin.kind === "server" ? origin.model : origin.name;
}
