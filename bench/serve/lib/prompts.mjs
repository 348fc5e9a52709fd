// Prompts in plain English, made of word lists: any number of them, no two alike, the same for the same seed.

const PEOPLE =
  `baker carpenter teacher doctor farmer painter pilot lawyer gardener singer nurse mechanic librarian tailor
  captain plumber chemist reporter dancer engineer waiter judge sculptor weaver postman surveyor tutor clerk`.split(
    /\s+/,
  );
const PLACES = `harbour village library station market valley castle bridge school garden island factory museum forest
  theatre hospital cellar lighthouse bakery orchard quarry chapel airport workshop meadow canal courtyard tower`.split(
  /\s+/,
);
const THINGS = `letter ladder basket clock lantern map piano suitcase bicycle kettle mirror hammer blanket telescope
  notebook umbrella violin anchor barrel statue carpet engine painting camera wheel candle ticket parcel`.split(/\s+/);
const KINDS = `old broken heavy silver wooden empty curious narrow bright dusty borrowed forgotten green quiet enormous
  valuable crooked cheap famous hollow painted sharp strange useful yellow torn foreign delicate`.split(/\s+/);
const DEEDS = `repaired carried sold buried measured described lost found cleaned painted exchanged returned examined
  dropped bought opened weighed photographed borrowed admired collected guarded wrapped moved`.split(/\s+/);
const TIMES = `on Monday|before breakfast|late in the evening|during the storm|after the concert|in early spring|at noon
  |twice a week|long before the war|in the second year|without a word|on the last day of June|while it rained
  |as soon as the shop closed|a month later|to everyone's surprise`.split(/\s*\|/);

const SENTENCES = [
  (pick) =>
    `The ${pick(PEOPLE)} ${pick(DEEDS)} ${a(pick(KINDS))} ${pick(THINGS)} near the ${pick(PLACES)} ${pick(TIMES)}.`,
  (pick) =>
    `${capital(pick(TIMES))}, nobody in the ${pick(PLACES)} knew who had ${pick(DEEDS)} the ${pick(KINDS)} ${pick(THINGS)}.`,
  (pick) =>
    `"Your ${pick(THINGS)} is ${pick(KINDS)}," said the ${pick(PEOPLE)}, and ${pick(DEEDS)} it behind the ${pick(PLACES)}.`,
  (pick) =>
    `${capital(a(pick(PEOPLE)))} from the ${pick(PLACES)} asked the ${pick(PEOPLE)} for ${number(pick)} ${pick(KINDS)} ${pick(THINGS)}s.`,
  (pick) => `It cost ${number(pick)} coins, more than ${a(pick(PEOPLE))} earns ${pick(TIMES)}.`,
  (pick) =>
    `Between the ${pick(PLACES)} and the ${pick(PLACES)} lay ${a(pick(THINGS))} that the ${pick(PEOPLE)} had ${pick(DEEDS)} ${pick(TIMES)}.`,
  (pick) => `Since then every ${pick(PEOPLE)} has ${pick(DEEDS)} at least one ${pick(THINGS)} in that ${pick(PLACES)}.`,
];
const QUESTIONS = [
  (pick) => `What happened to the ${pick(THINGS)}, and why does it matter to the ${pick(PEOPLE)}?`,
  (pick) => `Who was in the ${pick(PLACES)}, and what would ${a(pick(PEOPLE))} have done there?`,
  (pick) => `How would you tell this story to ${a(pick(PEOPLE))} who has never seen ${a(pick(THINGS))}?`,
  (pick) => `Which of these people would you trust with ${a(pick(KINDS))} ${pick(THINGS)}?`,
];

const OWN_WORDS = 70; // about 100 tokens with the question
const SHARED_WORDS = 860; // about 1,000 tokens

/** A text of its own from the first word on, and a question about it. */
export function ownPrompt(seed) {
  const pick = picker(seed);
  return `${number(pick)} ${pick(KINDS)} ${pick(THINGS)}s. ${story(pick, OWN_WORDS)}\n\nQuestion: ${pick(QUESTIONS)(pick)}\nAnswer:`;
}

/** The beginning that prompts share. */
export function sharedPrefix(seed) {
  const pick = picker(seed);
  return `What follows is the chronicle of the ${pick(PLACES)}. ${story(pick, SHARED_WORDS)}\n\n`;
}

/** Seeded: picks from a list, each item with the same chance. */
export function picker(seed) {
  let state = Math.imul(seed + 1, 0x9e3779b1);
  return (list) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return list[Math.floor(((mixed ^ (mixed >>> 15)) >>> 0) * 2 ** -32 * list.length)];
  };
}

function story(pick, words) {
  const sentences = [];
  for (let count = 0; count < words; ) {
    const sentence = pick(SENTENCES)(pick);
    sentences.push(sentence);
    count += sentence.split(" ").length;
  }
  return sentences.join(" ");
}

const DIGITS = Array.from({ length: 97 }, (_, i) => i + 3);
const number = (pick) => pick(DIGITS);
const a = (word) => `${/^[aeiou]/.test(word) ? "an" : "a"} ${word}`;
const capital = (text) => text[0].toUpperCase() + text.slice(1);
