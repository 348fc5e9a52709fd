import { playground } from "./de-playground.js";
import type { Texts } from "./texts.js";

// Every text of the site in German.

export const de: Texts = {
  language: "de",
  siteName: "gemma.ts",
  nav: {
    label: "Abschnitte der Seite",
    skip: "Zum Inhalt",
    sections: {
      family: "Familie",
      responsible: "Verantwortung",
      benchmarks: "Benchmarks",
      tuning: "Abstimmen",
      start: "Erste Schritte",
    },
    playground: "Ausprobieren",
    product: "Überblick",
    language: "English",
    languageLabel: "This page in English",
    theme: { label: "Farben", auto: "wie das System", light: "hell", dark: "dunkel" },
  },
  footer: {
    terms:
      "gemma.ts ist quelloffen unter der Apache License 2.0. Die Gewichte gehören nicht dazu: Für Gemma gelten die [Gemma-Nutzungsbedingungen](https://ai.google.dev/gemma/terms). Gemma ist eine Marke von Google LLC; dieses Projekt stammt nicht von Google.",
    private: "Diese Website lädt nichts von anderen Servern, setzt keine Cookies und zählt niemanden.",
  },
  update: { ready: "Es gibt eine neue Fassung dieser Website.", apply: "Jetzt verwenden", later: "Später" },
  product: {
    title: "gemma.ts: offene Gemma-Modelle für TypeScript",
    description:
      "Googles offene Gemma-Modelle in TypeScript ausführen, messen, abstimmen und bereitstellen: in Node, auf einer Webseite, auf eigener Hardware. Mit den veröffentlichten Benchmarks zum Erkunden.",
    hero: {
      heading: "Offene Modelle, in TypeScript zu Hause",
      lead: "Gemma ist Google DeepMinds Familie leichter, offener Modelle aus derselben Forschung, aus der Gemini entstand. gemma.ts führt sie aus, misst sie, stimmt sie ab und stellt sie bereit: mit eigenen Rechenkernen, eigenem Tokenizer und eigener Engine, in einem npm-Paket.",
      try: "In diesem Browser ausprobieren",
      start: "Erste Schritte",
      figure: {
        label: "Wie ein Modell liest",
        caption:
          "Dreizehn Token, ihre Nummern, und wie wahrscheinlich Gemma 3 270M jedes nach den vorigen fand. Berechnet mit gemma.ts (4-Bit-Gewichte, 8-Bit-Aktivierungen).",
        chance: "Wahrscheinlichkeit",
      },
    },
    family: {
      heading: "Eine kleine Familie",
      lead: "Das lateinische gemma heißt Edelstein. Die erste Generation hat zwei Größen und jede davon zwei Fassungen, denn wer ein Modell für eine Aufgabe trainiert, kann es für andere schwächer machen.",
      columns: ["", "Gemma 2B", "Gemma 7B"],
      rows: [
        ["Gedacht für", "Laptops, kleine Server, Webseiten", "Workstations und Server"],
        ["Blöcke", "18", "28"],
        ["Breite", "2.048", "3.072"],
        ["Köpfe (Anfragen / Schlüssel)", "8 / 1", "16 / 16"],
        ["Wortschatz", "256.000 Token", "256.000 Token"],
        ["Kontext", "8.192 Token", "8.192 Token"],
      ],
      caption: "Die beiden Größen nach ihren veröffentlichten Konfigurationen",
      versions: [
        {
          tag: "PT",
          name: "Vortrainiert",
          text: "Hat nur aus Gemmas Kerndaten gelernt und setzt Text fort. Vor dem Einsatz in einer Anwendung gehört es auf die Aufgabe abgestimmt.",
        },
        {
          tag: "IT",
          name: "Auf Anweisungen abgestimmt",
          text: "Wurde mit Gesprächen von Menschen weitertrainiert. Es antwortet auf das, was man fragt, wie in einem Chat.",
        },
      ],
      also: "Die Textmodelle von Gemma 2 (2B, 9B, 27B) und Gemma 3 (270M bis 27B) laufen mit demselben Code. Ohne weitere Angabe nimmt gemma.ts Gemma 3 270M, das sind 253 MB, und daneben einen kleinen eigenen Chat-Adapter, der nicht Googles abgestimmtes Modell ist.",
    },
    responsible: {
      heading: "Von Grund auf verantwortungs\u00advoll",
      lead: "Google trainiert Gemma mit ausgewählten Daten, stimmt es auf Sicherheit ab und veröffentlicht Bewertungen, die Grenzen benennen. Was darauf entsteht, sollte sich ebenso prüfen lassen.",
      points: [
        {
          name: "Text wird nie zum Steuerzeichen",
          text: "Eine Eingabe besteht aus getypten Abschnitten. Steuertoken im Text eines Nutzers bleiben bloßer Text; niemand beendet so einen fremden Gesprächszug.",
        },
        {
          name: "Bewertung mit Rechenweg",
          text: "Jeder Lauf behält jede Aufgabe, die Antwort des Modells, Konfidenzintervalle und jede Abweichung von der veröffentlichten Einstellung.",
        },
        {
          name: "Was Abstimmen bewirkt, auch zum Schlechteren",
          text: "Ein Bericht fragt das Modell davor und danach dasselbe: die Zielaufgabe, siebzehn Benchmarks, Ablehnungen, Sprache, Perplexität.",
        },
        {
          name: "Mauern um das, was läuft",
          text: "Programme, die ein Modell schreibt, laufen in einer Sandbox. Ein Server hält Eingaben aus seinem Protokoll, vergleicht Schlüssel in konstanter Zeit und weist Fremde ab.",
        },
      ],
      toolkit:
        "Googles [Responsible Generative AI Toolkit](https://ai.google.dev/responsible) hilft bei Entwurf, Sicherheitsabstimmung und Bewertung.",
    },
    framework: {
      heading: "Bleiben Sie bei Ihrem Framework",
      lead: "Gemmas Entwickler haben sich für Keras 3 entschieden, damit ein Modell zwischen JAX, TensorFlow und PyTorch wechseln kann. gemma.ts hält es ebenso: Das Modell ist einmal geschrieben, und worauf es rechnet, ist austauschbar.",
      groups: [
        {
          name: "Rechnet auf",
          items: ["C++-Rechenkernen für x86 und ARM", "WebAssembly", "WebGPU", "reinem TypeScript als Spezifikation"],
        },
        {
          name: "Liest und schreibt",
          items: ["GGUF", "safetensors und Hugging-Face-Ordner", "PEFT-Adapter", "SentencePiece und tokenizer.json"],
        },
        {
          name: "Spricht mit",
          items: ["Clients von OpenAI und Ollama", "Vercel AI SDK", "LangChain.js", "der Prompt API des Browsers"],
        },
      ],
    },
    benchmarks: {
      heading: "Benchmarks",
      lead: "Was die Gemma-Seite für die beiden Größen neben Mistral 7B und Llama 2 veröffentlicht: siebzehn Benchmarks, in Prozent. Wählen Sie einen, um Einstellung und Werte zu sehen.",
      choose: "Benchmark",
      models: "Modelle",
      view: { label: "Ansicht", chart: "Diagramm", table: "Tabelle" },
      scale: "0 bis 100 Prozent",
      setting: "Einstellung",
      noSetting: "keine Einstellung veröffentlicht",
      settings: {
        "5-shot, top-1": "5-shot, top-1",
        "0-shot": "0-shot",
        "partial evaluation": "Teilbewertung",
        "7-shot": "7-shot",
        "5-shot": "5-shot",
        "pass@1": "pass@1",
        "3-shot": "3-shot",
        "maj@1": "maj@1",
        "4-shot": "4-shot",
      },
      settingMeaning: {
        "5-shot, top-1": "vor jeder Frage stehen fünf gelöste Beispiele; die wahrscheinlichste Antwort zählt",
        "0-shot": "nur die Frage, ohne gelöste Beispiele",
        "partial evaluation": "es zählt, wie wahrscheinlich das Ende des Satzes nach jeder Möglichkeit ist",
        "7-shot": "vor jeder Frage stehen sieben gelöste Beispiele",
        "5-shot": "vor jeder Frage stehen fünf gelöste Beispiele",
        "pass@1": "ein Programm je Aufgabe, und seine Tests müssen gelingen",
        "3-shot": "vor jeder Aufgabe stehen drei gelöste Beispiele",
        "maj@1": "eine Antwort je Aufgabe, und sie zählt",
        "4-shot": "vor jeder Aufgabe stehen vier gelöste Beispiele",
      },
      about: {
        mmlu: "Wissen und Problemlösen in 57 Fächern, von der Schule bis zur Fachprüfung.",
        hellaswag: "Gesunder Menschenverstand: Welches Ende setzt eine Alltagsszene fort?",
        piqa: "Verständnis für Dinge: Welcher von zwei Wegen führt zu einem alltäglichen Ziel?",
        siqa: "Verständnis für Menschen: Warum handeln sie so, und was folgt daraus für andere?",
        boolq: "Ja-Nein-Fragen, die Menschen gestellt haben, jede mit einem Text dazu.",
        winogrande: "Wer oder was füllt die Lücke, wenn die Grammatik beides zulässt?",
        commonsense_qa: "Fragen zu verschiedenen Arten von Allgemeinwissen, mit fünf Antworten zur Wahl.",
        openbookqa: "Einfache naturwissenschaftliche Tatsachen, auf neue Lagen angewandt.",
        arc_easy: "Naturwissenschaftliche Fragen aus Schulprüfungen.",
        arc_challenge: "Die Schulfragen, an denen einfache Suche und Wortstatistik scheitern.",
        triviaqa: "Wissensfragen, aus dem Gedächtnis beantwortet.",
        humaneval: "Python-Funktionen nach ihrer Beschreibung, geprüft mit Unit-Tests.",
        mbpp: "Kurze Python-Programme zu Anfängeraufgaben, geprüft mit Zusicherungen.",
        gsm8k: "Textaufgaben der Grundschule, die mehrere Rechenschritte brauchen.",
        math: "Wettbewerbsmathematik, von Algebra bis Zahlentheorie.",
        agieval: "Prüfungen für Menschen: Hochschulzugang, Jura, Logik und Mathematik.",
        bbh: "Die 23 BIG-Bench-Aufgaben, die früheren Modellen am schwersten fielen, in 27 Teilen.",
      },
      caption: "Veröffentlichte Ergebnisse in Prozent",
      otherMethod: "Mit einer anderen Methode ermittelt; Näheres steht im technischen Bericht zu Gemma.",
      source:
        "Werte: Benchmark-Diagramm der Gemma-Seite, wie von Google veröffentlicht. gemma.ts hat sie nicht gemessen. Es bringt aber alle siebzehn Benchmarks mit diesen Einstellungen mit, sodass Sie es können:",
      nothingChosen: "Wählen Sie mindestens ein Modell.",
    },
    tuning: {
      heading: "Auf Ihre Aufgabe abstimmen",
      lead: "Abstimmen macht ein Modell besser in dem, was Sie brauchen, und womöglich schlechter in dem, wohin Sie nicht sehen. Deshalb tut gemma.ts beides: Es stimmt ab, und dann sieht es nach.",
      steps: [
        {
          name: "Prüfen",
          text: "Fehlerhafte Zeilen werden einzeln genannt, Speicherbedarf und Schritte vorab angegeben.",
        },
        {
          name: "Abstimmen",
          text: "LoRA und QLoRA neben eingefrorenen Gewichten, Präferenzen (DPO) oder alle Gewichte, auf einer gewöhnlichen CPU. Ein abgebrochener Lauf geht weiter und endet bitgenau bei denselben Gewichten.",
        },
        {
          name: "Vergleichen",
          text: "Die erste Zeile des Berichts ist sein Urteil: wie weit sich das Ziel bewegt hat, und was sonst noch.",
        },
        {
          name: "Mitnehmen",
          text: "Adapter haben das Format von PEFT. Verschmolzene Modelle sind GGUF-Dateien oder Hugging-Face-Ordner.",
        },
      ],
    },
    cloud: {
      heading: "Vom Laptop in die Cloud",
      lead: "Google bietet Gemma in Google Cloud an, vollständig verwaltet in Vertex AI oder auf Clustern, die Sie mit GKE selbst betreiben. Ihr eigener Server ist einen Befehl entfernt:",
      points: [
        "die APIs von OpenAI und Ollama, mit OpenAPI-Dokument und einer Seite zum Ausprobieren",
        "Schlüssel mit Rechten und Grenzen, Warteschlangen, die sagen, wann man wiederkommen soll",
        "Zustandsprüfungen, Prometheus-Metriken, OpenTelemetry-Spuren, ein Ende, das Antworten ausreden lässt",
        "oder einfach ein `fetch`-Handler für Hono, Next, Bun oder Deno",
      ],
    },
    start: {
      heading: "Erste Schritte",
      lead: "Node.js ab 20.19, und ein C++-Compiler für volles Tempo. Der erste Start holt Gemma 3 270M (253 MB) und antwortet.",
      tabs: {
        label: "Wo",
        terminal: "Im Klon",
        program: "Im Programm",
        page: "Auf einer Webseite",
        server: "Als Server",
      },
      copy: "Kopieren",
      copied: "Kopiert",
      playground: "Oder ganz ohne Installation: Fragen Sie ein Modell in diesem Browser.",
      community:
        "Modelle, Notebooks und Menschen, die damit arbeiten, finden sich auf [Kaggle](https://www.kaggle.com/models/google/gemma); die [Gemma-Dokumentation](https://ai.google.dev/gemma/docs) hat Anleitungen für jede Größe.",
    },
  },
  playground,
};
