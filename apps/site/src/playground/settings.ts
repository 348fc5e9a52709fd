import { byId } from "../dom/dom.js";
import type { Engine, Sampling } from "./engine.js";
import { DEFAULTS, FIELDS, type FieldName, PRETRAINED_DEFAULTS } from "./fields.js";

const MAX_DRAWN_SEED = 2 ** 32;

/** The form of settings. What is out of its range counts as the nearest value that is not. */
export class Settings {
  private readonly form = byId<HTMLFormElement>("settings");
  private defaults = DEFAULTS;

  constructor() {
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.form.addEventListener("reset", () => setTimeout(() => this.fill()));
    this.form.addEventListener("change", ({ target }) => {
      const input = target as HTMLInputElement;
      const field = FIELDS.find(({ name }) => name === input.name);
      if (field !== undefined && (field.name !== "seed" || input.value !== ""))
        input.value = String(this.number(field.name));
    });
  }

  /** A model's own defaults; what the reader has changed stays. */
  useDefaultsOf({ isPretrained, defaults }: Pick<Engine, "isPretrained" | "defaults">): void {
    const before = this.defaults;
    this.defaults = { ...(isPretrained ? PRETRAINED_DEFAULTS : DEFAULTS), ...defaults };
    for (const [name, value] of Object.entries(this.defaults) as [keyof typeof DEFAULTS, number][]) {
      if (this.number(name) === before[name]) this.input(name).value = String(value);
    }
  }

  get system(): string {
    return this.form.querySelector<HTMLTextAreaElement>("[name=system]")!.value;
  }

  /** With a seed in any case: an answer can be made again only by the one that it had. */
  sampling(): Sampling {
    return {
      temperature: this.number("temperature"),
      topK: this.number("topK"),
      topP: this.number("topP"),
      minP: this.number("minP"),
      repetitionPenalty: this.number("repetitionPenalty"),
      maxTokens: this.number("maxTokens"),
      seed: this.input("seed").value === "" ? Math.floor(Math.random() * MAX_DRAWN_SEED) : this.number("seed"),
      logprobs: this.form.querySelector<HTMLInputElement>("[name=logprobs]")!.checked,
    };
  }

  private fill(): void {
    for (const [name, value] of Object.entries(this.defaults)) this.input(name as FieldName).value = String(value);
  }

  private number(name: FieldName): number {
    const { min, max, step } = FIELDS.find((field) => field.name === name)!;
    const { value, valueAsNumber } = this.input(name);
    if (value === "" || Number.isNaN(valueAsNumber)) return name === "seed" ? 0 : this.defaults[name];
    const inside = Math.min(Math.max(valueAsNumber, min), max);
    return step >= 1 ? Math.round(inside) : inside;
  }

  private input(name: FieldName): HTMLInputElement {
    return this.form.querySelector<HTMLInputElement>(`[name=${name}]`)!;
  }
}
