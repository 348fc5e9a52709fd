/**
 * A row of the table that the Gemma page publishes, in per cent, to stand beside a run's own figures. Nothing here was
 * measured by this project.
 */
export interface PublishedBenchmark {
  /** As tasks are named; AGIEval's two tasks make up one benchmark. */
  readonly benchmark: PublishedName;
  /** As the page names it. */
  readonly title: string;
  /** As the page gives it; empty where it gives none. */
  readonly setting: string;
  /** What it asks for, in a sentence. */
  readonly about: string;
  readonly scores: Readonly<Record<PublishedModel, number>>;
  /** The page marks these with *: the figure was obtained by another method. */
  readonly otherMethod: readonly PublishedModel[];
}

export type PublishedName =
  | "mmlu"
  | "hellaswag"
  | "piqa"
  | "siqa"
  | "boolq"
  | "winogrande"
  | "commonsense_qa"
  | "openbookqa"
  | "arc_easy"
  | "arc_challenge"
  | "triviaqa"
  | "humaneval"
  | "mbpp"
  | "gsm8k"
  | "math"
  | "agieval"
  | "bbh";

export type PublishedModel = (typeof PUBLISHED_MODELS)[number]["id"];

export const PUBLISHED_MODELS = [
  { id: "gemma-7b", title: "Gemma 7B" },
  { id: "gemma-2b", title: "Gemma 2B" },
  { id: "mistral-7b", title: "Mistral 7B" },
  { id: "llama-2-13b", title: "Llama 2 13B" },
  { id: "llama-2-7b", title: "Llama 2 7B" },
] as const;

/** Where the figures stand. */
export const PUBLISHED_SOURCES = [
  "the Gemma page's chart of benchmarks",
  "for those marked * also the Gemma technical report",
];

export const OTHER_METHOD = "obtained by another method (marked * on the Gemma page); see the Gemma technical report";

/** In the page's order; the scores of a row in the order of PUBLISHED_MODELS. */
export const PUBLISHED: readonly PublishedBenchmark[] = [
  row(
    "mmlu",
    "MMLU",
    "5-shot, top-1",
    "Knowledge and problem solving in 57 subjects, from school to professional exams.",
    [64.3, 42.3, 62.5, 54.8, 45.3],
  ),
  row(
    "hellaswag",
    "HellaSwag",
    "0-shot",
    "Common sense: which ending continues a description of everyday life?",
    [81.2, 71.4, 81, 80.7, 77.2],
  ),
  row(
    "piqa",
    "PIQA",
    "0-shot",
    "Physical common sense: which of two ways reaches an everyday goal?",
    [81.2, 77.3, 82.2, 80.5, 78.8],
  ),
  row(
    "siqa",
    "SIQA",
    "0-shot",
    "Social common sense: why people act as they do, and what follows for others.",
    [51.8, 49.7, 47.0, 50.3, 48.3],
    ["mistral-7b"],
  ),
  row(
    "boolq",
    "BoolQ",
    "0-shot",
    "Yes or no questions that people asked, each with a passage to read.",
    [83.2, 69.42, 83.2, 81.7, 77.4],
    ["mistral-7b"],
  ),
  row(
    "winogrande",
    "Winogrande",
    "partial evaluation",
    "Who or what fills the gap, where grammar alone leaves both open?",
    [72.3, 65.4, 74.2, 72.8, 69.2],
  ),
  row(
    "commonsense_qa",
    "CQA",
    "7-shot",
    "Questions over several kinds of common knowledge, five choices each.",
    [71.3, 65.3, 66.3, 67.3, 57.8],
    ["mistral-7b"],
  ),
  row("openbookqa", "OBQA", "", "Elementary science facts applied to new situations.", [52.8, 47.8, 52.2, 57, 58.6]),
  row("arc_easy", "ARC-e", "", "Science questions of grade-school exams.", [81.5, 73.2, 80.5, 77.3, 75.2]),
  row(
    "arc_challenge",
    "ARC-c",
    "",
    "The grade-school science questions that simple retrieval and word statistics get wrong.",
    [53.2, 42.06, 54.9, 49.4, 45.9],
  ),
  row("triviaqa", "TriviaQA", "5-shot", "Trivia questions answered from memory.", [63.4, 53.2, 62.5, 79.6, 72.1]),
  row(
    "humaneval",
    "HumanEval",
    "pass@1",
    "Python functions from their docstrings, checked by unit tests.",
    [32.3, 22, 26.2, 18.3, 12.8],
  ),
  row(
    "mbpp",
    "MBPP",
    "3-shot",
    "Short Python programs for beginners' problems, checked by assertions.",
    [44.4, 29.2, 40.2, 30.6, 20.8],
    ["mistral-7b"],
  ),
  row(
    "gsm8k",
    "GSM8K",
    "maj@1",
    "Grade-school word problems that take several steps of arithmetic.",
    [46.4, 17.7, 35.4, 28.7, 14.6],
    ["mistral-7b"],
  ),
  row(
    "math",
    "MATH",
    "4-shot",
    "Competition mathematics, from algebra to number theory.",
    [24.3, 11.8, 12.7, 3.9, 2.5],
  ),
  row(
    "agieval",
    "AGIEval",
    "",
    "Exams made for people: college entrance, law school, logic and mathematics.",
    [41.7, 24.2, 41.2, 39.1, 29.3],
    ["mistral-7b"],
  ),
  row(
    "bbh",
    "BBH",
    "",
    "The 23 BIG-Bench tasks that were hardest for earlier models, in 27 parts.",
    [55.1, 35.2, 56.1, 39.4, 32.6],
    ["mistral-7b"],
  ),
];

/** Google's model card of Gemma 3 270M, pre-trained: the figures that could be confirmed. */
export const GEMMA_3_270M_CARD = {
  title: "270M model card",
  /** SHA-256 of files with these weights in 4 bits (Q4_K_M). */
  files: ["a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"],
  scores: [
    { benchmark: "hellaswag", setting: "10-shot", shots: 10, score: 40.9 },
    { benchmark: "boolq", setting: "0-shot", shots: 0, score: 61.4 },
    { benchmark: "piqa", setting: "0-shot", shots: 0, score: 67.7 },
    { benchmark: "arc_easy", setting: "0-shot", shots: 0, score: 57.7 },
  ],
} as const;

/** Points that weights rounded to 4 bits may cost, beside the standard error. */
export const CARD_TOLERANCE = 1.5;

type Scores = readonly [number, number, number, number, number];

function row(
  benchmark: PublishedName,
  title: string,
  setting: string,
  about: string,
  scores: Scores,
  otherMethod: readonly PublishedModel[] = [],
): PublishedBenchmark {
  const [gemma7b, gemma2b, mistral7b, llama13b, llama7b] = scores;
  const named = {
    "gemma-7b": gemma7b,
    "gemma-2b": gemma2b,
    "mistral-7b": mistral7b,
    "llama-2-13b": llama13b,
    "llama-2-7b": llama7b,
  };
  return { benchmark, title, setting, about, scores: named, otherMethod };
}
