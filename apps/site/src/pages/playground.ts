import { h, type VNode } from "../dom/node.js";
import { DEFAULTS, FIELDS } from "../playground/fields.js";
import type { Texts } from "../text/texts.js";
import { layout } from "./layout.js";

/** The playground's frame, as the build writes it; playground.ts brings it to life. */
export function playgroundPage(texts: Texts): VNode[] {
  const { playground } = texts;
  return layout(
    texts,
    "playground",
    h(
      "div",
      { class: "play looking" },
      h(
        "details",
        { id: "side", class: "side", open: true },
        h("summary", { id: "side-summary" }, playground.side),
        h(
          "div",
          { class: "side-body" },
          h(
            "section",
            { class: "model", "aria-labelledby": "model-heading" },
            h("h2", { id: "model-heading" }, playground.model.heading),
            h("div", { id: "model" }, h("p", { class: "soft" }, playground.model.looking)),
          ),
          settings(texts),
          exports(texts),
        ),
      ),
      talk(texts),
    ),
    h("div", { id: "drop", class: "drop", hidden: true }, h("p", {}, playground.model.drop)),
  );
}

function talk({ playground }: Texts): VNode {
  const { chat } = playground;
  return h(
    "section",
    { class: "talk", "aria-labelledby": "play-heading" },
    h("div", { class: "talk-head" }, h("h1", { id: "play-heading" }, playground.heading), h("p", {}, playground.lead)),
    h("ol", { id: "log", class: "log", "aria-label": chat.label, tabindex: -1 }),
    h("div", { id: "empty", class: "empty" }, h("p", { class: "soft" }, chat.empty)),
    h("div", { id: "spoken", class: "visually-hidden", role: "log", "aria-live": "polite" }),
    h(
      "form",
      { id: "composer", class: "composer" },
      h("button", { id: "to-end", type: "button", class: "to-end small", hidden: true }, chat.toEnd),
      h("label", { class: "visually-hidden", for: "message" }, chat.message),
      h("textarea", {
        id: "message",
        name: "message",
        rows: 1,
        placeholder: chat.placeholder,
        "aria-describedby": "message-hint",
        enterkeyhint: "send",
        autocomplete: "off",
      }),
      h("button", { id: "send", type: "submit", class: "primary", disabled: true }, chat.send),
      h("button", { id: "stop", type: "button", hidden: true }, chat.stop),
      h("p", { id: "message-hint", class: "hint" }, chat.hint),
    ),
  );
}

function settings({ playground }: Texts): VNode {
  const { settings } = playground;
  return h(
    "details",
    { class: "fold" },
    h("summary", {}, h("h2", {}, settings.heading)),
    h(
      "form",
      { id: "settings", class: "settings" },
      h(
        "p",
        { class: "wide" },
        h("label", { for: "system" }, settings.system),
        h("textarea", { id: "system", name: "system", rows: 2, "aria-describedby": "system-hint" }),
        h("small", { id: "system-hint" }, settings.systemHint),
      ),
      ...FIELDS.map(({ name, min, max, step }) => {
        const hint = `${name}Hint` in settings ? settings[`${name}Hint` as keyof typeof settings] : "";
        return h(
          "p",
          {},
          h("label", { for: name }, settings[name]),
          h("input", {
            id: name,
            name,
            type: "number",
            inputmode: "decimal",
            min,
            max,
            step,
            value: name === "seed" ? "" : DEFAULTS[name],
            "aria-describedby": hint === "" ? null : `${name}-hint`,
          }),
          hint !== "" && h("small", { id: `${name}-hint` }, hint),
        );
      }),
      h(
        "p",
        { class: "wide check" },
        h(
          "label",
          {},
          h("input", { type: "checkbox", name: "logprobs", checked: true, "aria-describedby": "logprobs-hint" }),
          " ",
          settings.logprobs,
        ),
        h("small", { id: "logprobs-hint" }, settings.logprobsHint),
      ),
      h("p", { class: "wide" }, h("button", { type: "reset", class: "small" }, settings.reset)),
    ),
  );
}

function exports({ playground }: Texts): VNode {
  const { export: texts, chat } = playground;
  return h(
    "details",
    { class: "fold" },
    h("summary", {}, h("h2", {}, texts.heading)),
    h(
      "div",
      { class: "exports" },
      h("button", { id: "export-json", type: "button", class: "small" }, texts.json),
      h("button", { id: "export-markdown", type: "button", class: "small" }, texts.markdown),
      h("button", { id: "export-code", type: "button", class: "small" }, texts.code),
      h("small", {}, texts.codeHint),
      h("button", { id: "clear", type: "button", class: "small" }, chat.clear),
    ),
  );
}
