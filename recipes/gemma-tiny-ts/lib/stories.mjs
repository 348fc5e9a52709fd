// A book as its publisher's file has it, to the tales or chapters in it as plain text.

/** What stands behind a book in its file: whose first comes ends it. */
const BEHIND = [
  /^\s*\[?Anmerkung(en)? zur Transkription/m,
  /^\s*\[?Transcriber['’]s Note/m,
  /^NOTES AND REFERENCES/m,
  /^\s*(End of|Ende dieses) (the |The )?Project?/m,
  /^\*\*\* ?END OF/m,
];

/** Shorter ones are scraps: dedications, rhymes, remarks. */
const SHORTEST_STORY = 400;
/** A heading is one short paragraph that ends no sentence. */
const LONGEST_HEADING = 90;
/** Some collections say below a tale whom they have it from. */
const LONGEST_SIGNATURE = 45;
/** Paragraphs are typed with hard line ends; a typesetter's line is at most so long. */
const INDENT = /^ {2,}/;

/** @returns {string[]} the stories of one file, paragraphs apart by an empty line */
export function stories(file, { start, end, signed = false }) {
  const text = file.replaceAll("\r\n", "\n").replaceAll("\r", "\n");
  const begin = text.indexOf(start);
  if (begin < 0) throw new Error(`stories: the text must have its first words, ${JSON.stringify(start)}, got none`);
  const rest = text.slice(begin);
  const ends = [...BEHIND.map((mark) => rest.search(mark)), end === undefined ? -1 : rest.indexOf(`\n${end}\n`)];
  const body = rest.slice(0, Math.min(rest.length, ...ends.filter((at) => at >= 0)));
  const found = [];
  let story = [];
  const close = () => {
    if (signed && isSignature(story.at(-1))) story.pop();
    const whole = story.join("\n\n");
    if (whole.length >= SHORTEST_STORY) found.push(whole);
    story = [];
  };
  for (const { block, isApart } of paragraphs(body)) {
    const paragraph = tidied(block);
    if (paragraph === "") continue;
    if (isHeading(paragraph, isApart)) close();
    else story.push(paragraph);
  }
  close();
  return found;
}

/** Blocks between empty lines, and whether three of these stand before one; where a file has none (a paragraph a line), its lines. */
function paragraphs(body) {
  const parts = body.split(/\n((?:[ \t]*\n)+)/); // block, gap, block, ...
  if (parts.length < body.split("\n").length / 20) {
    return joinSpoken(body.split("\n")).map((block) => ({ block, isApart: false }));
  }
  const blocks = [];
  for (let i = 0; i < parts.length; i += 2) {
    blocks.push({ block: parts[i], isApart: i > 0 && parts[i - 1].split("\n").length > 3 });
  }
  return blocks;
}

/** Such a file breaks the line before words that are spoken, too: behind a colon the paragraph goes on. */
function joinSpoken(lines) {
  const joined = [];
  for (const line of lines) {
    if (joined.length > 0 && /[:,]\s*$/.test(joined.at(-1))) joined[joined.length - 1] += ` ${line.trim()}`;
    else joined.push(line);
  }
  return joined;
}

function tidied(block) {
  const lines = block.split("\n").filter((line) => line.trim() !== "");
  const isVerse = lines.length > 1 && lines.every((line) => INDENT.test(line) || line.length < 45);
  const text = lines.map((line) => line.trim()).join(isVerse ? "\n" : " ");
  const plain = withoutMarks(text);
  return isNoProse(plain) ? "" : plain;
}

/** One way to write quotation marks, dashes and dots; no pictures, no footnotes, no emphasis. */
function withoutMarks(text) {
  return (
    text
      .replace(/\[(Illustration|Abbildung|Footnote|Kleinbild|Dekoration)[^\]]*\]/gi, "")
      .replace(/\(\d\) .{0,60}$|\[\d+\]|\{\d+\}|\(\d\)/g, "") // of footnotes
      .replace(/[_=+#]/g, "")
      .replace(/[„“”»«]/g, '"')
      .replace(/''|""/g, '"')
      // An English inner quotation mark opens before a word and closes behind a mark; between letters it is an apostrophe.
      .replace(/(^|[\s("—-])‘/g, '$1"')
      .replace(/([,.!?;:—-])’/g, '$1"')
      .replace(/[‘’‚›‹`´\u008e]/g, "'")
      .replace(/\s*(--+|—)\s*/g, " – ")
      .replace(/ \.(?=\s|$)/g, ".")
      .replaceAll("…", "...")
      .replace(/\.\s?\.\s?\.+/g, "...")
      .replaceAll("\u00ad", "")
      .replace(/^[A-ZÄÖÜ]{2,}(?=[ ,])/, capitalised) // ONCE upon a time
      .replace(/[ \t\u00a0]+/g, " ")
      .trim()
  );
}

function capitalised(word) {
  return word[0] + word.slice(1).toLowerCase();
}

/** Rules and stars, and lists in capitals. */
function isNoProse(text) {
  return !/\p{L}{2}/u.test(text) || (text.length > LONGEST_HEADING && !/\p{Ll}{2}/u.test(text));
}

function isSignature(paragraph = "\n") {
  return paragraph.length <= LONGEST_SIGNATURE && !paragraph.includes("\n");
}

function isHeading(paragraph, isApart) {
  if (paragraph.length > LONGEST_HEADING || paragraph.includes("\n")) return false;
  if (isApart && !/["!?]$/.test(paragraph)) return true;
  if (!/\p{Ll}{2}/u.test(paragraph)) return true; // capitals alone
  if (/^(\d+|[IVXL]+)[a-z]?[.:]? /.test(paragraph)) return true;
  if (/^(chapter|kapitel|legend)\b|(tes|tel|ste[srn]?) (kapitel|streich)/i.test(paragraph)) return true;
  return !/[.!?"':;,–)]$/.test(paragraph);
}
