export type KnownLanguage = "en" | "de";

const words = (list: string) => new Set(list.split(" "));

// The commonest words of each language that the other one has not got ("in", "was", "so", "die", "war", "man" are words of both).
const ENGLISH = words(
  "the of and to is that it for are with as his they this have from by not but what all were when we there can your which their said if each she how will other about many then them these some her would make like him into has more go see no way could people my than been call who its now find down did get come made may you do does it's i'm don't can't isn't here very because should where why our us",
);
const GERMAN = words(
  "der das und ist nicht ich sie es mit den ein eine zu von auf für dem sich des auch als an werden aus er hat dass nach wird bei einer um am sind noch wie einem einen über haben oder aber kann wenn durch sein nur im zum zur vor bis mehr man ihr sehr wir schon diese dieser dieses ja nein mir mich dir dich uns weil gibt bitte heißt unter gegen sowie zwischen kein keine habe bin du wurde wurden",
);
const UMLAUTS = /[äöüß]/;
/** Words looked at. */
const MOST = 400;
/** How many more words of one language than of the other tell which it is. */
const LEAD = 2;

/**
 * Whether a text is English or German, by the commonest words of both. null: neither is clearly so, as of numbers, names, code, other
 * languages, and of most texts of less than four words.
 */
export function guessLanguage(text: string): KnownLanguage | null {
  let [english, german, seen] = [0, 0, 0];
  for (const [word] of text
    .normalize("NFC")
    .replaceAll("’", "'")
    .toLowerCase()
    .matchAll(/\p{L}+(?:'\p{L}+)?/gu)) {
    if (++seen > MOST) break;
    if (ENGLISH.has(word)) english++;
    if (GERMAN.has(word) || UMLAUTS.test(word)) german++;
  }
  if (english >= german + LEAD && english >= 2 * german) return "en";
  if (german >= english + LEAD && german >= 2 * english) return "de";
  // A short sentence has room for one such word.
  if (seen <= 6 && english !== german && Math.min(english, german) === 0) return english > 0 ? "en" : "de";
  return null;
}
