import { startChart } from "./chart/interactive.js";
import { byId } from "./dom/dom.js";
import { startShell } from "./shell.js";

startShell();
startChart();
followSection();
startCopying();

/** The other language opens at the section that is being read. */
function followSection(): void {
  const link = byId<HTMLAnchorElement>("other-language");
  const address = link.getAttribute("href")!;
  const seen = new Set<Element>();
  const sections = [...document.querySelectorAll("section[id]")];
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) isIntersecting ? seen.add(target) : seen.delete(target);
      const current = sections.find((section) => seen.has(section));
      link.href = current === undefined ? address : `${address}#${current.id}`;
    },
    { rootMargin: "-30% 0px -60% 0px" },
  );
  for (const section of sections) observer.observe(section);
}

function startCopying(): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>("[data-copy]")) {
    button.hidden = navigator.clipboard === undefined;
    const label = button.textContent;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(byId(`code-${button.dataset.copy}`).textContent ?? "");
      button.textContent = button.dataset.done ?? label;
      setTimeout(() => {
        button.textContent = label;
      }, 2000);
    });
  }
}
