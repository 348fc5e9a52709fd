import { byId } from "../dom/dom.js";

/** A file may be dropped anywhere on the page. */
export function acceptDrops(take: (file: File) => void): void {
  const veil = byId("drop");
  let depth = 0; // dragenter and dragleave come for every element that is crossed
  const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
  const set = (to: number) => {
    depth = Math.max(0, to);
    veil.hidden = depth === 0;
  };
  addEventListener("dragenter", (event) => hasFiles(event) && set(depth + 1));
  addEventListener("dragleave", (event) => hasFiles(event) && set(depth - 1));
  addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    set(0);
    const [file] = event.dataTransfer?.files ?? [];
    if (file !== undefined) take(file);
  });
}
