import { dom, fill } from "../../dom/dom.js";
import { h, type VNode } from "../../dom/node.js";
import type { Texts } from "../../text/texts.js";
import type { Alternative, Token } from "../engine.js";
import { percentText } from "../format.js";

/** How likely a token was, in five steps that the style sheet colours. */
function level(probability: number): number {
  return Math.min(4, Math.floor(probability * 5));
}

/** A text as its tokens: each can be chosen, with arrow keys too, and shows its id, chance and alternatives. */
export function tokensView(tokens: readonly Token[], texts: Texts): HTMLElement {
  const words = texts.playground.tokens;
  const detail = dom(
    h("div", { class: "token-detail", "aria-live": "polite" }, h("p", { class: "soft" }, words.choose)),
  );
  const hasChances = tokens.some(({ probability }) => probability !== null);
  const list = dom(
    h("div", { class: "tokens", role: "listbox", "aria-label": texts.playground.chat.tokens, tabindex: 0 }),
  );
  const options = tokens.map((token, i) =>
    dom(
      h(
        "span",
        {
          role: "option",
          id: `token-${tokens.length}-${i}-${counter++}`,
          "aria-selected": "false",
          "data-level": token.probability === null ? null : level(token.probability),
        },
        visible(token.text),
      ),
    ),
  );
  list.append(
    ...options.flatMap((option, i) =>
      tokens[i]!.text.includes("\n") ? [option, document.createElement("br")] : [option],
    ),
  );
  let chosen = -1;
  const choose = (i: number) => {
    options[chosen]?.setAttribute("aria-selected", "false");
    chosen = Math.min(Math.max(i, 0), options.length - 1);
    const option = options[chosen];
    if (option === undefined) return;
    option.setAttribute("aria-selected", "true");
    list.setAttribute("aria-activedescendant", option.id);
    fill(detail, ...tokenDetail(tokens[chosen]!, texts));
  };
  list.addEventListener("click", ({ target }) =>
    choose(options.indexOf((target as HTMLElement).closest<HTMLElement>("[role=option]")!)),
  );
  list.addEventListener("keydown", (event) => {
    const to = {
      ArrowRight: chosen + 1,
      ArrowDown: chosen + 1,
      ArrowLeft: chosen - 1,
      ArrowUp: chosen - 1,
      Home: 0,
      End: options.length - 1,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    choose(to);
  });
  const element = dom(h("div", { class: "token-view" }));
  element.append(list, detail);
  if (!hasChances) element.append(dom(h("p", { class: "soft" }, words.noChance)));
  return element;
}

let counter = 0;

function tokenDetail({ text, id, probability, alternatives }: Token, texts: Texts): VNode[] {
  const words = texts.playground.tokens;
  return [
    h(
      "p",
      {},
      h("code", {}, visible(text)),
      id !== null && ` · ${words.id} ${id}`,
      probability !== null && ` · ${words.chance} ${percentText(probability, texts)}`,
    ),
    ...(alternatives.length === 0
      ? []
      : [
          h("p", { class: "soft" }, words.alternatives),
          h("ol", {}, ...alternatives.map((one) => alternative(one, texts))),
        ]),
  ];
}

function alternative({ text, id, probability }: Alternative, texts: Texts): VNode {
  return h(
    "li",
    {},
    h("code", {}, visible(text)),
    h("span", { class: "id" }, id ?? ""),
    h(
      "svg",
      { class: "bar", "aria-hidden": "true", focusable: "false" },
      h("rect", { class: "track", width: "100%", height: "100%", rx: 2 }),
      h("rect", { class: "fill", width: `${(probability * 100).toFixed(1)}%`, height: "100%", rx: 2 }),
    ),
    h("span", { class: "percent" }, percentText(probability, texts)),
  );
}

/** White space as signs, or a token of it would not be seen. */
function visible(text: string): string {
  return text.replaceAll(" ", "·").replaceAll("\n", "↵").replaceAll("\t", "⇥") || "∅";
}
