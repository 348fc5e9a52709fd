import type { BackendName } from "gemma-ts/web";
import { byId, dom, fill } from "../../dom/dom.js";
import { h, type VNode } from "../../dom/node.js";
import type { Texts } from "../../text/texts.js";
import { type Engine, PlaygroundError } from "../engine.js";
import { connect, type EndpointSettings } from "../engines/endpoint.js";
import {
  backendsHere,
  type ListedModel,
  type LoadHooks,
  listModels,
  loadInPage,
  type PageModel,
  planFor,
  removeModel,
} from "../engines/in-page.js";
import { failure, isAbort } from "../failure.js";
import { bytesText } from "../format.js";
import type { Choice } from "./choice.js";
import { isGguf } from "./gguf-file.js";
import { backendField, planView } from "./plan-view.js";
import { ProgressView } from "./progress-view.js";
import { serverForm } from "./server-form.js";

/** Choosing, loading and changing the model. */
export class ModelPanel {
  private readonly root = byId("model");
  private models: readonly ListedModel[] = [];
  private choice: Choice = { kind: "server" };
  /** Aborted when another choice is made: a plan that comes late is not shown. */
  private planning = new AbortController();

  constructor(
    private readonly texts: Texts,
    /** Told when a model is ready, and with null when it is let go. */
    private readonly onEngine: (engine: Engine | null) => Promise<void>,
  ) {}

  async start(): Promise<void> {
    try {
      this.models = await listModels();
    } catch (error) {
      console.info("models in this page cannot be listed:", error);
    }
    const first = this.models.find(({ storedBytes, sizeBytes }) => storedBytes === sizeBytes) ?? this.models[0];
    this.choice = first === undefined ? { kind: "file", file: null } : { kind: "listed", model: first };
    this.showChoices();
  }

  /** A file that was dropped on the page. */
  async take(file: File): Promise<void> {
    await this.onEngine(null);
    this.choice = { kind: "file", file };
    this.showChoices();
  }

  /** @param failed what went wrong with the last choice; it stands until another is made */
  private showChoices(failed?: VNode): void {
    const { model } = this.texts.playground;
    const isListed = (one: ListedModel) => this.choice.kind === "listed" && this.choice.model.name === one.name;
    fill(
      this.root,
      h(
        "fieldset",
        { class: "choices" },
        h("legend", { class: "visually-hidden" }, model.heading),
        this.models.length === 0 && h("p", { class: "soft" }, model.none),
        ...this.models.map((one) =>
          this.option(one.name, this.labelOf(one), this.sizeLine(one), isListed(one), () => ({
            kind: "listed",
            model: one,
          })),
        ),
        this.option(":file", model.file, model.fileHint, this.choice.kind === "file", () => ({
          kind: "file",
          file: null,
        })),
        this.option(":server", model.server, model.serverHint, this.choice.kind === "server", () => ({
          kind: "server",
        })),
      ),
      h("div", { id: "choice", class: "choice" }),
    );
    this.showChoice(failed);
  }

  private option(value: string, name: string, line: string, isChosen: boolean, choose: () => Choice): VNode {
    const onchange = () => {
      this.choice = choose();
      this.showChoice();
    };
    return h(
      "label",
      {},
      h("input", { type: "radio", name: "choice", value, checked: isChosen, onchange }),
      h("span", {}, name, h("small", {}, line)),
    );
  }

  /** The package's own models are known in every language. */
  private labelOf({ name, label }: ListedModel): string {
    const known: Readonly<Record<string, string>> = this.texts.playground.model.known;
    return Object.hasOwn(known, name) ? known[name]! : label;
  }

  private sizeLine({ sizeBytes, storedBytes }: ListedModel): string {
    const { model } = this.texts.playground;
    const size = bytesText(sizeBytes, this.texts);
    if (storedBytes === 0) return size;
    return `${size}, ${storedBytes === sizeBytes ? model.stored : model.partly}`;
  }

  /** What belongs to the choice: the plan and its button, the file field, or the server's address. */
  private showChoice(failed?: VNode): void {
    this.planning.abort();
    this.planning = new AbortController();
    const { choice, texts } = this;
    const place = byId("choice");
    if (choice.kind === "server") {
      const use = (settings: EndpointSettings) => this.load((signal) => connect(settings, texts, signal), settings.url);
      fill(place, serverForm(texts, use), failed);
    } else if (choice.kind === "file" && choice.file === null) fill(place, this.filePicker(), failed);
    else {
      const model = choice.kind === "listed" ? choice.model.name : choice.file!;
      fill(place, h("p", { class: "soft" }, "…"), failed);
      this.showPlan(place, model, this.planning.signal, failed).catch((error: unknown) => {
        if (!isAbort(error))
          fill(
            place,
            failure(error, texts, () => this.showChoice()),
          );
      });
    }
  }

  private async showPlan(
    place: HTMLElement,
    model: PageModel,
    signal: AbortSignal,
    failed: VNode | undefined,
  ): Promise<void> {
    const { texts } = this;
    if (model instanceof File && !(await isGguf(model))) {
      signal.throwIfAborted();
      const { notGguf } = texts.playground.errors;
      const error = new PlaygroundError(`${model.name}: ${notGguf}`);
      fill(place, failure(error, texts), this.filePicker());
      return;
    }
    const [plan, backends] = await Promise.all([planFor(model, signal), backendsHere()]);
    signal.throwIfAborted();
    const { load, loadDownload, remove } = texts.playground.model;
    const start = () => {
      const backend = byId<HTMLSelectElement>("backend").value as BackendName | "";
      const chosen = backend === "" ? {} : { backend };
      return this.load((signal, view) => loadInPage(model, { ...chosen, ...hooksOf(signal, view) }, texts), plan.name);
    };
    fill(
      place,
      model instanceof File && h("p", {}, h("strong", {}, model.name)),
      ...planView(plan, texts),
      backendField(backends, texts),
      h(
        "button",
        { type: "button", class: "primary", id: "load", onclick: start },
        plan.downloadBytes === 0 ? load : loadDownload,
      ),
      plan.isStored &&
        h("button", { type: "button", class: "quiet small", onclick: () => this.remove(plan.name) }, remove),
      failed,
    );
  }

  private filePicker(): VNode {
    const { fileChoose } = this.texts.playground.model;
    const onchange = ({ target }: Event) => {
      const [file] = (target as HTMLInputElement).files ?? [];
      if (file === undefined) return;
      this.choice = { kind: "file", file };
      this.showChoice();
    };
    return h(
      "label",
      { class: "picker" },
      h("span", {}, fileChoose),
      h("input", { type: "file", accept: ".gguf", onchange }),
    );
  }

  private async remove(name: string): Promise<void> {
    await removeModel(name);
    await this.start();
  }

  private async load(make: (signal: AbortSignal, view: ProgressView) => Promise<Engine>, name: string): Promise<void> {
    const controller = new AbortController();
    const view = new ProgressView(this.texts, name, () => controller.abort());
    this.root.replaceChildren(view.element);
    try {
      const engine = await make(controller.signal, view);
      await this.onEngine(engine);
      this.showLoaded(engine);
    } catch (error) {
      this.showChoices(controller.signal.aborted ? undefined : failure(error, this.texts));
    }
  }

  private showLoaded({ name, facts, isPretrained }: Engine): void {
    const { model } = this.texts.playground;
    const change = async () => {
      await this.onEngine(null);
      await this.start();
      this.root.querySelector<HTMLInputElement>("input:checked")?.focus();
    };
    this.root.replaceChildren(
      dom(
        h(
          "div",
          { class: "loaded", role: "status" },
          h("p", {}, h("strong", {}, name)),
          h(
            "dl",
            { class: "facts" },
            ...facts.map((fact) => h("div", {}, h("dt", {}, model[fact.name]), h("dd", {}, fact.value))),
          ),
          isPretrained && h("p", { class: "soft" }, model.pretrained),
        ),
      ),
      dom(h("button", { type: "button", class: "small", onclick: change }, model.change)),
    );
  }
}

function hooksOf(signal: AbortSignal, view: ProgressView): LoadHooks {
  return { signal, onProgress: (progress) => view.show(progress), onNote: (line) => view.note(line) };
}
