import type { BrowserFeatures, ModelPlan } from "gemma-ts/web";
import { h, type VNode } from "../../dom/node.js";
import type { Texts } from "../../text/texts.js";
import { bytesText } from "../format.js";

/** What loading would take, before it takes it. */
export function planView(plan: ModelPlan, texts: Texts): VNode[] {
  const { model } = texts.playground;
  const { downloadBytes, sizeBytes, memory, storage, problems } = plan;
  const download = downloadBytes ?? sizeBytes;
  const size =
    download === null ? model.unknown : download === 0 ? model.nothingToDownload : bytesText(download, texts);
  const rows: [string, string][] = [
    [model.download, size],
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

/** What the model runs on: the fastest that can, unless the reader wants another. */
export function backendField(backends: BrowserFeatures["backends"], texts: Texts): VNode {
  const { model } = texts.playground;
  const option = ({ name, available }: BrowserFeatures["backends"][number]) => {
    const about = available === true ? (name === "reference" ? model.reference : "") : available;
    return h("option", { value: name, disabled: available !== true }, about === "" ? name : `${name}: ${about}`);
  };
  return h(
    "p",
    { class: "backend" },
    h("label", { for: "backend" }, model.backend),
    h("select", { id: "backend" }, h("option", { value: "" }, model.automatic), ...backends.map(option)),
  );
}
