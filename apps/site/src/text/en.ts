import { PUBLISHED, type PublishedName } from "gemma-ts/eval";
import { playground } from "./en-playground.js";

// Every text of the site in English. `Texts` (texts.ts) is what this file has: German must have the same.

const about = PUBLISHED.map((row) => [row.benchmark, row.about] as const);
const publishedAbout = Object.fromEntries(about) as Readonly<Record<PublishedName, string>>;

export const en = {
  language: "en",
  siteName: "gemma.ts",
  nav: {
    label: "Page sections",
    skip: "Skip to the content",
    sections: {
      family: "Family",
      responsible: "Responsible",
      benchmarks: "Benchmarks",
      tuning: "Tuning",
      start: "First steps",
    },
    playground: "Playground",
    product: "Overview",
    language: "Deutsch",
    languageLabel: "Diese Seite auf Deutsch",
    theme: { label: "Colours", auto: "as the system", light: "light", dark: "dark" },
  },
  footer: {
    terms:
      "gemma.ts is open source under the Apache License 2.0. The weights are not part of it: Gemma is provided under and subject to the [Gemma Terms of Use](https://ai.google.dev/gemma/terms). Gemma is a trademark of Google LLC; this project is not Google's.",
    private: "This site loads nothing from other hosts, sets no cookies and counts nobody.",
  },
  update: { ready: "A new version of this site is here.", apply: "Use it now", later: "Later" },
  product: {
    title: "gemma.ts: open Gemma models for TypeScript",
    description:
      "Run, measure, tune and serve Google's open Gemma models in TypeScript: in Node, in a web page, on your own hardware. With the published benchmarks to explore.",
    hero: {
      heading: "Open models that are at home in TypeScript",
      lead: "Gemma is Google DeepMind's family of lightweight open models, built from the research behind Gemini. gemma.ts runs, measures, tunes and serves them, with kernels, tokenizer and engine of its own, from one npm package.",
      try: "Try it in this browser",
      start: "First steps",
      figure: {
        label: "How a model reads",
        caption:
          "Twelve tokens, their ids, and how likely Gemma 3 270M found each one after those before it. Computed with gemma.ts (4-bit weights, 8-bit activations).",
        chance: "chance",
      },
    },
    family: {
      heading: "A small family",
      lead: "The Latin gemma is a precious stone. The first generation has two sizes, and each size comes in two versions, because training a model for one thing can make it worse at others.",
      columns: ["", "Gemma 2B", "Gemma 7B"],
      rows: [
        ["Made for", "laptops, small servers, web pages", "workstations and servers"],
        ["Blocks", "18", "28"],
        ["Width", "2,048", "3,072"],
        ["Heads (queries / keys)", "8 / 1", "16 / 16"],
        ["Vocabulary", "256,000 tokens", "256,000 tokens"],
        ["Context", "8,192 tokens", "8,192 tokens"],
      ],
      caption: "The two sizes, as their published configurations have them",
      versions: [
        {
          tag: "PT",
          name: "Pre-trained",
          text: "Has learned from Gemma's core data and nothing else. It continues text. Tune it for your task before you put it into an application.",
        },
        {
          tag: "IT",
          name: "Instruction-tuned",
          text: "Was trained further on people's conversations. It answers what it is asked, as a chat does.",
        },
      ],
      also: "The text models of Gemma 2 (2B, 9B, 27B) and Gemma 3 (270M to 27B) run by the same code. Without a choice, gemma.ts takes Gemma 3 270M, which is 253 MB, and beside it a small chat adapter of its own, which is not Google's instruction-tuned model.",
    },
    responsible: {
      heading: "Responsible from the ground up",
      lead: "Google pre-trains Gemma on selected data, tunes it for safety, and publishes evaluations that name its limits. What you build on it should be as open to inspection.",
      points: [
        {
          name: "Text cannot pose as control",
          text: "A prompt is made of typed segments. Control tokens inside a user's text stay plain text, so nobody can end a turn that is not theirs.",
        },
        {
          name: "Evaluation that shows its working",
          text: "Each run keeps every item, the model's answer, confidence intervals and every departure from the published setting.",
        },
        {
          name: "What tuning did, for better and worse",
          text: "A report asks a model the same things before and after: the target, seventeen benchmarks, refusals, language, perplexity.",
        },
        {
          name: "Walls around what runs",
          text: "Programs that a model writes run in a sandbox. A server keeps prompts out of its log, compares keys in constant time, and refuses strangers by default.",
        },
      ],
      toolkit:
        "Google's [Responsible Generative AI Toolkit](https://ai.google.dev/responsible) has guidance for design, safety tuning and evaluation.",
    },
    framework: {
      heading: "Use the framework you have",
      lead: "Gemma's makers chose Keras 3, so that the same model moves between JAX, TensorFlow and PyTorch. gemma.ts keeps that promise where you work: the model is written once, and what it runs on can be exchanged.",
      groups: [
        {
          name: "Runs on",
          items: ["C++ kernels for x86 and ARM", "WebAssembly", "WebGPU", "plain TypeScript, as the specification"],
        },
        {
          name: "Reads and writes",
          items: ["GGUF", "safetensors and Hugging Face folders", "PEFT adapters", "SentencePiece and tokenizer.json"],
        },
        {
          name: "Speaks",
          items: ["the APIs of OpenAI and Ollama", "Vercel AI SDK", "LangChain.js", "the browser's Prompt API"],
        },
      ],
    },
    benchmarks: {
      heading: "Benchmarks",
      lead: "What the Gemma page publishes for its two sizes beside Mistral 7B and Llama 2: seventeen benchmarks, in per cent. Choose one to see its setting and its figures.",
      choose: "Benchmark",
      models: "Models",
      view: { label: "View", chart: "Chart", table: "Table" },
      scale: "0 to 100 per cent",
      setting: "Setting",
      noSetting: "no setting published",
      settings: {
        "5-shot, top-1": "5-shot, top-1",
        "0-shot": "0-shot",
        "partial evaluation": "partial evaluation",
        "7-shot": "7-shot",
        "5-shot": "5-shot",
        "pass@1": "pass@1",
        "3-shot": "3-shot",
        "maj@1": "maj@1",
        "4-shot": "4-shot",
      },
      settingMeaning: {
        "5-shot, top-1": "five worked examples stand before each question; the most likely choice counts",
        "0-shot": "the question alone, without worked examples",
        "partial evaluation": "scored by the likelihood of the sentence's end, given each choice",
        "7-shot": "seven worked examples stand before each question",
        "5-shot": "five worked examples stand before each question",
        "pass@1": "one program each, and its tests must pass",
        "3-shot": "three worked examples stand before each problem",
        "maj@1": "one answer to each problem, and it counts",
        "4-shot": "four worked examples stand before each problem",
      },
      about: publishedAbout,
      caption: "Published scores in per cent",
      otherMethod: "Obtained by another method; the Gemma technical report has the details.",
      source:
        "Figures: the Gemma page's benchmark chart, as Google published it. gemma.ts has not measured them. It has all seventeen benchmarks with these settings, so that you can:",
      nothingChosen: "Choose at least one model.",
    },
    tuning: {
      heading: "Tune it to your task",
      lead: "Tuning makes a model better at what you need, and can make it worse at what you do not look at. So gemma.ts does both: it tunes, and then it looks.",
      steps: [
        {
          name: "Check",
          text: "Broken lines are named one by one, and memory and steps are stated, before anything starts.",
        },
        {
          name: "Tune",
          text: "LoRA and QLoRA beside frozen weights, preferences (DPO), or all weights, on an ordinary CPU. A run that was killed goes on to the same weights, bit for bit.",
        },
        {
          name: "Compare",
          text: "The report's first line is its verdict: how far the target moved, and what else did.",
        },
        { name: "Take along", text: "Adapters are PEFT's. Merged models are GGUF files or Hugging Face folders." },
      ],
    },
    cloud: {
      heading: "From laptop to cloud",
      lead: "Google offers Gemma in Google Cloud, fully managed in Vertex AI or on clusters that you run with GKE. Your own server is one command away:",
      points: [
        "APIs of OpenAI and Ollama, with an OpenAPI document and a page to try them",
        "keys with scopes and limits, queues that say when to come again",
        "health checks, Prometheus metrics, OpenTelemetry traces, an end that lets answers finish",
        "or a plain `fetch` handler to mount in Hono, Next, Bun or Deno",
      ],
    },
    start: {
      heading: "First steps",
      lead: "Node.js 20.19 or newer, and a C++ compiler for full speed. The first start fetches Gemma 3 270M (253 MB) and answers.",
      tabs: {
        label: "Where",
        terminal: "In a clone",
        program: "In a program",
        page: "In a web page",
        server: "As a server",
      },
      copy: "Copy",
      copied: "Copied",
      playground: "Or with nothing to install: ask a model in this browser.",
      community:
        "Models, notebooks and people who work with them are on [Kaggle](https://www.kaggle.com/models/google/gemma); the [Gemma documentation](https://ai.google.dev/gemma/docs) has guides for every size.",
    },
  },
  playground,
} as const;
