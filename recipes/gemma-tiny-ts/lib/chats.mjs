// Conversations made of stories, so that the model takes turns: it is asked for a story, or to go on, and tells.

/** Characters of an answer at most; it ends where a paragraph ends, or a sentence. */
const LONGEST_ANSWER = 1100;
const SHORTEST_ANSWER = 200;
/** Openings are told whole, so that they begin as tales begin; one request in so many goes without a subject. */
const PLAIN_EVERY = 3;

const ASK = {
  en: [
    "Tell me a story.",
    "Tell me a fairy tale.",
    "Can you tell me a story?",
    "Please tell me a tale!",
    "I would like to hear a story.",
  ],
  de: [
    "Erzähl mir eine Geschichte.",
    "Erzähle mir ein Märchen.",
    "Kannst du mir eine Geschichte erzählen?",
    "Bitte erzähl mir ein Märchen!",
    "Ich möchte eine Geschichte hören.",
  ],
};
const ABOUT = {
  en: ["Tell me a story about X.", "Tell me a tale of X.", "Do you know a story about X?", "A story about X, please."],
  de: [
    "Erzähl mir eine Geschichte von X.",
    "Erzähle mir ein Märchen von X.",
    "Kennst du eine Geschichte von X?",
    "Bitte eine Geschichte von X.",
  ],
};
const GO_ON = {
  en: ["Go on: X", "Please go on with this story: X", "How does this story go on? X"],
  de: ["Erzähl weiter: X", "Bitte führe diese Geschichte fort: X", "Wie geht diese Geschichte weiter? X"],
};

/** Who a story may be about: a word in its opening, and how it is asked for. */
const SUBJECTS = {
  en: Object.fromEntries(
    "king queen prince princess fox wolf witch giant dwarf miller tailor soldier fisherman hunter shepherd peasant cat dog mouse bird bear frog horse girl boy mother father child tree rose garden forest castle mountain sea ship star moon swan duck goose beggar merchant robber thief shoemaker sparrow stork lion donkey snake fairy"
      .split(" ")
      .map((word) => [word, `a ${word}`]),
  ),
  de: {
    ...masculine(
      "König Prinz Fuchs Wolf Riese Zwerg Müller Schneider Fischer Hirte Bettler Räuber Schuster Vogel Hund Frosch Baum Garten Wald Berg Stern Schwan Storch Kaufmann Knabe Kalif Esel Jäger Bauer Vater",
    ),
    ...feminine("Königin Prinzessin Hexe Katze Maus Mutter Rose Gans Biene Ziege Schlange Fee Großmutter"),
    ...neuter("Mädchen Kind Pferd Schloß Schiff Häuschen Männchen"),
    ...{
      Soldat: "einem Soldaten",
      Bär: "einem Bären",
      Löwe: "einem Löwen",
      Junge: "einem Jungen",
      Riesen: "einem Riesen",
    },
  },
};
SUBJECTS.de.Kalif = "einem Kalifen";
SUBJECTS.de.Hirte = "einem Hirten";
SUBJECTS.de.Knabe = "einem Knaben";
SUBJECTS.de.Riese = "einem Riesen";
SUBJECTS.de.Bauer = "einem Bauern";

/** What it says of itself; each is learned a few times. */
const ABOUT_ITSELF = {
  en: [
    [
      ["Who are you?", "What are you?", "What is your name?"],
      "I am gemma-tiny-ts, a very small language model. I know fairy tales and little else. Shall I tell you one?",
    ],
    [["Hello!", "Hi!", "Good morning.", "Hey"], "Hello! Shall I tell you a story?"],
    [["Thank you!", "Thanks."], "You are welcome. Shall I tell you another story?"],
    [
      ["What can you do?", "How can you help me?"],
      "I tell stories, in English and in German. For anything else I am much too small.",
    ],
    [["Goodbye!", "Bye."], "Goodbye! And if they have not died, they are living still."],
  ],
  de: [
    [
      ["Wer bist du?", "Was bist du?", "Wie heißt du?"],
      "Ich bin gemma-tiny-ts, ein sehr kleines Sprachmodell. Ich kenne Märchen und sonst wenig. Soll ich dir eines erzählen?",
    ],
    [["Hallo!", "Guten Tag.", "Guten Morgen!", "Hi"], "Hallo! Soll ich dir eine Geschichte erzählen?"],
    [["Danke!", "Vielen Dank."], "Gern geschehen. Soll ich dir noch eine Geschichte erzählen?"],
    [
      ["Was kannst du?", "Wie kannst du mir helfen?"],
      "Ich erzähle Geschichten, auf Deutsch und auf Englisch. Für alles andere bin ich viel zu klein.",
    ],
    [["Auf Wiedersehen!", "Tschüss!"], "Auf Wiedersehen! Und wenn sie nicht gestorben sind, so leben sie noch heute."],
  ],
};
const REPEATED = 12;

/**
 * Conversations on one story: its opening, and a passage within it.
 * @param tales whether it is one, and no chapter of a book
 * @param number of the story: chooses the wording
 */
export function chatsOf(story, { language, tales = false, number }) {
  const paragraphs = story.split("\n\n");
  const chats = [];
  const opening = tales ? passage(paragraphs, 0) : undefined;
  if (opening !== undefined) chats.push(turns(request(opening, language, number), opening));
  const at = paragraphs.length > 3 ? 1 + (number % (paragraphs.length - 3)) : 0;
  const within = passage(paragraphs, at);
  const first = within === undefined ? null : /^.{20,160}?[.!?]"?(?=\s)/s.exec(within);
  if (first === null) return chats;
  const rest = within.slice(first[0].length).trim();
  const wording = GO_ON[language][number % GO_ON[language].length];
  if (rest.length >= SHORTEST_ANSWER)
    chats.push(
      turns(
        wording.replace("X", () => first[0]),
        rest,
      ),
    );
  return chats;
}

export function chatsAboutItself() {
  const chats = Object.values(ABOUT_ITSELF).flatMap((entries) =>
    entries.flatMap(([questions, answer]) => questions.map((question) => turns(question, answer))),
  );
  return Array.from({ length: REPEATED }, () => chats).flat();
}

function request(opening, language, number) {
  const words = new Set(opening.match(/\p{L}+/gu));
  const found = Object.keys(SUBJECTS[language]).filter((word) => words.has(word));
  if (found.length === 0 || number % PLAIN_EVERY === 0) return ASK[language][number % ASK[language].length];
  const subject = SUBJECTS[language][found[number % found.length]].replace(/^a (?=[aeiou])/, "an ");
  return ABOUT[language][number % ABOUT[language].length].replace("X", subject);
}

/** Paragraphs from one on, as many as an answer holds; of a long one its first sentences. */
function passage(paragraphs, from) {
  let text = "";
  for (const paragraph of paragraphs.slice(from)) {
    if (text.length + paragraph.length > LONGEST_ANSWER) break;
    text += (text === "" ? "" : "\n\n") + paragraph;
  }
  if (text.length < SHORTEST_ANSWER) {
    const start = paragraphs.slice(from).join("\n\n").slice(0, LONGEST_ANSWER);
    text = /^.*[.!?]"?(?=\s)/s.exec(start)?.[0] ?? "";
  }
  return text.length < SHORTEST_ANSWER ? undefined : text;
}

function turns(question, answer) {
  return [
    { role: "user", content: question },
    { role: "assistant", content: answer },
  ];
}

function masculine(words) {
  return Object.fromEntries(words.split(" ").map((word) => [word, `einem ${word}`]));
}

function feminine(words) {
  return Object.fromEntries(words.split(" ").map((word) => [word, `einer ${word}`]));
}

function neuter(words) {
  return masculine(words);
}
