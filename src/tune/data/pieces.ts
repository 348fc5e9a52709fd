import { GemmaError } from "../../base/errors.js";
import { gemmaTurns } from "../../tokenizer/gemma-turns.js";
import { control, type Segment, text } from "../../tokenizer/prompt.js";
import type { Example, Part, Turn } from "./example.js";

/**
 * How examples are written. "gemma": in Gemma's turns. "qa": as plain questions and answers, which pre-trained models
 * chat in:
 *
 *     {system}\n\nQuestion: {user}\nAnswer: {assistant}\n\n
 *
 * "none": prompt and completion as they stand, one behind the other. Texts (`{text}`) are written as they stand anyway.
 */
export type TuneTemplate = "gemma" | "qa" | "none";

/** A part of a sequence. */
export interface Piece {
  readonly segment: Segment;
  /** Whether it is to be learned: its tokens are targets of the loss. */
  readonly isLearned: boolean;
}

/**
 * The sequences of an example, without BOS: one, or of a preference the chosen and the rejected one. What ends an answer
 * is learned with it: the end of the turn, an empty line ("qa"), `<eos>` ("none", and of texts).
 *
 * @throws ERR_USAGE for turns without a template
 */
export function exampleSequences(example: Example, template: TuneTemplate): readonly (readonly Piece[])[] {
  switch (example.kind) {
    case "text":
      return [[learned(text(example.text)), EOS]];
    case "chat":
      return [dialogue([], example.turns, template, example.at)];
    case "completion":
      return [answered(example.prompt, example.completion, template, example.at)];
    case "preference":
      return [example.chosen, example.rejected].map((side) => answered(example.prompt, side, template, example.at));
    default:
      return example satisfies never;
  }
}

/** Neighbouring pieces that are all learned, or all not: each run is encoded as one. */
export function learnedRuns(
  pieces: readonly Piece[],
): readonly { readonly isLearned: boolean; readonly segments: readonly Segment[] }[] {
  const runs: { isLearned: boolean; segments: Segment[] }[] = [];
  for (const { segment, isLearned } of pieces) {
    const last = runs.at(-1);
    if (last?.isLearned === isLearned) last.segments.push(segment);
    else runs.push({ isLearned, segments: [segment] });
  }
  return runs;
}

const learned = (segment: Segment): Piece => ({ segment, isLearned: true });
const given = (segment: Segment): Piece => ({ segment, isLearned: false });
const EOS = learned(control("<eos>"));

function answered(prompt: Part, answer: Part, template: TuneTemplate, at: string): readonly Piece[] {
  if (template === "none" && typeof prompt === "string" && typeof answer === "string") {
    return [given(text(prompt)), learned(text(answer)), EOS];
  }
  return dialogue(asTurns(prompt, "user"), asTurns(answer, "assistant"), template, at);
}

function asTurns(part: Part, role: "user" | "assistant"): readonly Turn[] {
  return typeof part === "string" ? [{ role, content: part }] : part;
}

/** The assistant's turns of `answer` are learned, those of `prompt` are not. */
function dialogue(
  prompt: readonly Turn[],
  answer: readonly Turn[],
  template: TuneTemplate,
  at: string,
): readonly Piece[] {
  const turns = [...prompt.map((turn) => ({ ...turn, isLearned: false })), ...answer];
  if (template === "gemma") return gemmaPieces(turns);
  if (template === "qa") return qaPieces(turns);
  throw new GemmaError("ERR_USAGE", `${at}: messages need a template, got the template none`, {
    hint: "take the template gemma or qa, or give prompt and completion as texts",
  });
}

/** The segments of gemmaTurns, in which an answer and the end of its turn are told apart from what is around them. */
function gemmaPieces(turns: readonly Turn[]): readonly Piece[] {
  const spoken = turns.filter(({ role }) => role !== "system");
  let turn = -1;
  let place: "head" | "content" | "behind" = "behind";
  return gemmaTurns(turns, { addGenerationPrompt: false }).map((segment) => {
    const name = segment.kind === "control" ? segment.name : undefined;
    if (name === "<start_of_turn>") {
      turn++;
      place = "head";
      return given(segment);
    }
    const isLearned = place === "content" && isTarget(spoken[turn]!);
    if (name === "<end_of_turn>") place = "behind";
    else if (place === "head") place = "content"; // behind `model\n`
    return { segment, isLearned };
  });
}

function qaPieces(turns: readonly Turn[]): readonly Piece[] {
  return turns.map((turn) => {
    const content = turn.content.trim();
    if (turn.role === "user") return given(text(`Question: ${content}\nAnswer:`));
    if (turn.role === "system") return given(text(`${content}\n\n`));
    return { segment: text(` ${content}\n\n`), isLearned: isTarget(turn) };
  });
}

function isTarget(turn: Turn): boolean {
  return turn.role === "assistant" && turn.isLearned !== false;
}
