import { byId } from "./dom/dom.js";

/** Whether a reload would lose something that is under way, e.g. an answer. */
let isBusy = () => false;

export function setBusy(check: () => boolean): void {
  isBusy = check;
}

/**
 * The service worker keeps one whole version of the site. A new one waits until it is wanted: then every open page loads
 * again, so that no page has parts of two.
 */
export function startUpdates(): void {
  if (!("serviceWorker" in navigator) || import.meta.env.DEV) return;
  const bar = byId("update");
  const hadWorker = navigator.serviceWorker.controller !== null;
  let waiting: ServiceWorker | null = null;
  const offer = (worker: ServiceWorker | null) => {
    if (worker === null || !hadWorker) return;
    waiting = worker;
    bar.hidden = false;
  };
  bar.querySelector("[data-update=apply]")!.addEventListener("click", () => waiting?.postMessage("take over"));
  bar.querySelector("[data-update=later]")!.addEventListener("click", () => {
    bar.hidden = true;
  });
  navigator.serviceWorker.addEventListener("controllerchange", () => {
    if (hadWorker) reloadWhenIdle();
  });
  navigator.serviceWorker
    .register(new URL("sw.js", document.querySelector<HTMLLinkElement>("link[rel=manifest]")!.href))
    .then((registration) => {
      offer(registration.waiting);
      registration.addEventListener("updatefound", () => {
        const worker = registration.installing;
        worker?.addEventListener("statechange", () => worker.state === "installed" && offer(worker));
      });
    })
    .catch((error: unknown) => console.info("the site is not kept for offline use:", error));
}

function reloadWhenIdle(): void {
  if (isBusy()) setTimeout(reloadWhenIdle, 500);
  else location.reload();
}
