import { h, type VNode } from "../../dom/node.js";
import type { Texts } from "../../text/texts.js";
import type { ModelPlan } from "../engines/library.js";
import { bytesText } from "../format.js";

/** What loading would take, before it takes it. */
export function planView(plan: ModelPlan, texts: Texts): VNode[] {
  const { model } = texts.playground;
  const { downloadBytes, sizeBytes, memory, storage, problems } = plan;
  const download = downloadBytes ?? sizeBytes;
  const rows: [string, string][] = [
    [model.download, download === 0 ? model.nothingToDownload : bytesText(download, texts)],
    [model.memory, memory === null ? model.unknown : bytesText(memory.totalBytes, texts)],
    ...(storage === null || download === 0
      ? []
      : [[model.storage, bytesText(storage.freeBytes, texts)] as [string, string]]),
  ];
  return [
    h("dl", { class: "facts" }, ...rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)))),
    ...problems.map((problem) => h("p", { class: "problem" }, problem)),
  ];
}
