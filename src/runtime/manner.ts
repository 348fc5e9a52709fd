import { GemmaError } from "../base/errors.js";
import type { ChatStyle } from "../engine/chat.js";
import type { Checkpoint } from "../load/checkpoint.js";
import { adapterDialogue, type Dialogue, dialogueOf } from "../load/dialogue.js";
import type { FileTree } from "../load/file-tree.js";
import { type SamplingDefaults, samplingDefaults } from "../load/sampling-defaults.js";

/** Pre-trained models answer a question best near their most likely text. */
const QA_SAMPLING: SamplingDefaults = { temperature: 0.3 };

/** How a model, or an adapter on it, answers: what their folders say. */
export interface Manner {
  readonly dialogue: Dialogue;
  readonly sampling: SamplingDefaults;
}

export function modelManner(files: FileTree, checkpoint: Checkpoint): Manner {
  return {
    dialogue: dialogueOf(checkpoint),
    sampling: checkpoint.naming === "hf" ? samplingDefaults(files, checkpoint.path) : {},
  };
}

/** What an adapter's folder says, and its base's where that says nothing. */
export function adapterManner(files: FileTree, folder: string, base: Manner): Manner {
  return {
    dialogue: adapterDialogue(files, folder) ?? base.dialogue,
    sampling: { ...base.sampling, ...samplingDefaults(files, folder) },
  };
}

/** The chat style of answers where the caller chooses none. */
export function styleOf({ dialogue: { kind } }: Manner): ChatStyle {
  return kind === "none" ? "qa" : kind;
}

/** How examples are written where a run does not say. @throws ERR_USAGE for a model with a template of its own */
export function templateFor({ dialogue: { kind } }: Pick<Manner, "dialogue">, where: string): "gemma" | "qa" {
  if (kind === "none") return "qa";
  if (kind === "gemma") return kind;
  throw new GemmaError("ERR_USAGE", `${where}: has a chat template of its own, in which data are not written`, {
    hint: "choose a template (--template): gemma, qa or none",
  });
}

/** How answers in a style are drawn where the request does not say. */
export function answerSampling(style: ChatStyle, { sampling }: Manner): SamplingDefaults {
  return style === "qa" ? { ...QA_SAMPLING, ...sampling } : sampling;
}
