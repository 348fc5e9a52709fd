import { byId } from "./dom/dom.js";
import { Talk } from "./playground/chat/talk.js";
import { Conversation } from "./playground/conversation.js";
import { acceptDrops } from "./playground/drop.js";
import type { Engine, Origin } from "./playground/engine.js";
import { toCode, toJson, toMarkdown } from "./playground/export.js";
import { ModelPanel } from "./playground/model/panel.js";
import { save } from "./playground/save.js";
import { Settings } from "./playground/settings.js";
import { startShell } from "./shell.js";
import { pageTexts } from "./text/texts.js";

const texts = pageTexts();
const settings = new Settings();
const conversation = new Conversation();
const talk = new Talk(conversation, settings, texts);
const isWide = matchMedia("(min-width: 60rem)");
let origin: Origin = { kind: "name", name: "gemma-3-270m" };

const panel = new ModelPanel(texts, async (engine) => {
  await talk.use(engine);
  if (engine !== null) used(engine);
});

startShell();
startSide();
startExports();
acceptDrops((file) => void panel.take(file));
await panel.start();
document.querySelector(".play")!.classList.remove("looking");

function used(engine: Engine): void {
  origin = engine.origin;
  settings.useDefaultsOf(engine);
  byId("side-summary").textContent = engine.name;
  if (!isWide.matches) byId<HTMLDetailsElement>("side").open = false;
}

/** Beside the conversation there is room for the settings; above it they are folded away once a model is there. */
function startSide(): void {
  const side = byId<HTMLDetailsElement>("side");
  const unfold = () => {
    if (isWide.matches) side.open = true;
  };
  isWide.addEventListener("change", unfold);
  unfold();
}

function startExports(): void {
  const { file } = texts.playground.export;
  const onClick = (id: string, action: () => unknown) => byId(id).addEventListener("click", action);
  onClick("export-json", () => save(`${file}.json`, "application/json", toJson(conversation.turns)));
  onClick("export-markdown", () => save(`${file}.md`, "text/markdown", toMarkdown(conversation.turns, texts)));
  onClick("export-code", () => {
    const code = toCode(conversation.turns, { origin, sampling: settings.sampling(), system: settings.system });
    save(`${file}.mjs`, "text/javascript", code);
  });
  onClick("clear", () => talk.clear());
}
