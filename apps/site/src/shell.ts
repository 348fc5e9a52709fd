import { byId } from "./dom/dom.js";
import { pageTexts } from "./text/texts.js";
import { startUpdates } from "./updates.js";

const ORDER = ["auto", "light", "dark"] as const;
type Theme = (typeof ORDER)[number];

/** What every page has: the switch of colours, and the offer of a new version. */
export function startShell(): void {
  startTheme();
  startUpdates();
}

function startTheme(): void {
  const button = byId<HTMLButtonElement>("theme");
  const { theme } = pageTexts().nav;
  const root = document.documentElement;
  const show = (now: Theme) => {
    const text = `${theme.label}: ${theme[now]}`;
    button.title = text;
    button.querySelector(".visually-hidden")!.textContent = text;
    button.dataset.theme = now;
  };
  let now = (root.dataset.theme ?? "auto") as Theme;
  show(now);
  button.addEventListener("click", () => {
    now = ORDER[(ORDER.indexOf(now) + 1) % ORDER.length]!;
    if (now === "auto") delete root.dataset.theme;
    else root.dataset.theme = now;
    remember(now);
    show(now);
  });
}

/** public/theme.js reads it before the next page is drawn. */
function remember(theme: Theme): void {
  try {
    localStorage.setItem("theme", theme);
  } catch {
    // Storage is blocked: the choice holds for this page.
  }
}
