// What clients do to servers, by malice or by accident. Each returns what became of it in a word; `wants` says which are right.
import { setTimeout as sleep } from "node:timers/promises";
import { ownPrompt, picker, sharedPrefix } from "./lib/prompts.mjs";
import { open, requestText, within } from "./lib/raw.mjs";

const COMPLETIONS = "/v1/completions";
const CHAT = "/v1/chat/completions";
const ANSWER_MS = 30_000;
const HEADERS_MS = 15_000; // ten seconds are promised for headers
const BODY_MS = 130_000; // two minutes for a whole request
const READER_TOKENS = 12_000; // with 20 alternatives each more than 10 MB
/** A reader that takes nothing for so long is cut off. */
export const WRITE_SECONDS = 3;
const DRIP_MS = 1000;

const stream = (at, prompt, more = {}) =>
  JSON.stringify({
    model: at.model,
    prompt,
    max_tokens: 64,
    temperature: 0,
    ignore_eos: true,
    stream: true,
    ...more,
  });

/**
 * { name, atOnce: connections at a time, wants, run(at), isTiny }; at: { port, model, index, untilIdle() }
 * isTiny: with the tiny test model, where the faster one shows more.
 */
export const FAULTS = [
  { name: "leaves mid-prompt", atOnce: 8, wants: ["left"], run: leaveMidPrompt },
  { name: "leaves mid-stream", atOnce: 8, wants: ["left mid-stream"], run: leaveMidStream },
  { name: "never reads", atOnce: 16, wants: ["cut off"], run: neverRead, isTiny: true },
  { name: "headers that never end", atOnce: 100, wants: ["408", "closed"], run: dripHeaders },
  { name: "body that never ends", atOnce: 100, wants: ["408", "400", "closed"], run: stallBody },
  { name: "body cut", atOnce: 8, wants: ["400", "closed"], run: cutBody },
  { name: "10 MB prompt", atOnce: 2, wants: ["413"], run: hugePrompt },
  { name: "malformed JSON", atOnce: 8, wants: ["400"], run: malformed },
  { name: "wrong types", atOnce: 8, wants: ["400"], run: wrongTypes },
  { name: "random bytes", atOnce: 8, wants: ["400", "closed"], run: noise },
  { name: "oversized headers", atOnce: 4, wants: ["431"], run: hugeHeaders },
];

async function leaveMidPrompt(at) {
  const { socket } = open(at.port);
  socket.write(requestText("POST", COMPLETIONS, stream(at, `${sharedPrefix(at.index)}${ownPrompt(at.index)}`)));
  await sleep(1 + ((at.index * 7) % 60));
  socket.destroy();
  return "left";
}

async function leaveMidStream(at) {
  const connection = open(at.port);
  connection.socket.write(requestText("POST", COMPLETIONS, stream(at, ownPrompt(at.index), { max_tokens: 400 })));
  await connection.until((text) => text.includes("data:"), ANSWER_MS);
  const text = connection.text();
  connection.socket.destroy();
  if (text.includes("[DONE]")) return "was too late";
  return text.includes("data:") ? "left mid-stream" : "got nothing";
}

/** Asks for megabytes, more than the system's buffers hold, and takes none until the server has done with it. */
async function neverRead(at) {
  const connection = open(at.port, { reads: false });
  const body = stream(at, ownPrompt(at.index), { max_tokens: READER_TOKENS, logprobs: 20 });
  connection.socket.write(requestText("POST", COMPLETIONS, body, { Connection: "close" }));
  const isIdle = await at.untilIdle();
  await sleep(1000 * (WRITE_SECONDS + 1));
  connection.read(); // only a reader learns of an end
  await within(isIdle ? ANSWER_MS : 0, connection.closed);
  const text = connection.text();
  connection.socket.destroy();
  if (!isIdle) return "held";
  return text.includes("[DONE]") ? "all was sent" : "cut off";
}

async function dripHeaders(at) {
  const connection = open(at.port);
  connection.socket.write(`POST ${COMPLETIONS} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: `);
  const timer = setInterval(() => connection.socket.write("a"), DRIP_MS);
  return endOf(connection, HEADERS_MS).finally(() => clearInterval(timer));
}

async function stallBody(at) {
  const connection = open(at.port);
  const body = stream(at, ownPrompt(at.index));
  connection.socket.write(requestText("POST", COMPLETIONS, body).slice(0, -40));
  return endOf(connection, BODY_MS);
}

async function cutBody(at) {
  const connection = open(at.port);
  connection.socket.end(requestText("POST", COMPLETIONS, stream(at, ownPrompt(at.index))).slice(0, -40));
  return endOf(connection, ANSWER_MS);
}

async function hugePrompt(at) {
  return answerTo(at, requestText("POST", COMPLETIONS, stream(at, "word ".repeat(2 << 20))));
}

const MALFORMED = ["{", '{"prompt": "x"', '{"prompt": x}', "[[[[[", '"', "\0\0\0", "{}{}", "nul", '{"prompt":"\\u12"}'];
async function malformed(at) {
  return answerTo(at, requestText("POST", at.index % 2 ? CHAT : COMPLETIONS, MALFORMED[at.index % MALFORMED.length]));
}

const FIELDS = ["max_tokens", "temperature", "top_p", "stop", "stream", "n", "seed", "messages", "logprobs"];
const WRONG = [{ a: 1 }, [[1]]];
async function wrongTypes(at) {
  const field = FIELDS[at.index % FIELDS.length];
  const body = { model: at.model, messages: [{ role: "user", content: "x" }], max_tokens: 1 };
  return answerTo(at, requestText("POST", CHAT, JSON.stringify({ ...body, [field]: WRONG[at.index % WRONG.length] })));
}

const BYTES = Array.from({ length: 256 }, (_, i) => i);
async function noise(at) {
  const connection = open(at.port);
  const pick = picker(at.index);
  connection.socket.end(Buffer.from(Array.from({ length: 10 + 37 * at.index }, () => pick(BYTES))));
  return endOf(connection, ANSWER_MS);
}

async function hugeHeaders(at) {
  return answerTo(at, requestText("GET", "/v1/models", "", { "X-Large": "a".repeat(1 << 20) }));
}

/** Sends all and looks at the status alone; the server may stop reading before all is there. */
async function answerTo(at, bytes) {
  const connection = open(at.port);
  connection.socket.write(bytes);
  const status = await connection.status(ANSWER_MS);
  connection.socket.destroy();
  return status;
}

/** The status, or "closed", when the server ends the connection; "held" where it does not in time. */
async function endOf(connection, withinMs) {
  const hasEnded = await within(withinMs, connection.closed);
  const status = await connection.status(0);
  connection.socket.destroy();
  return status === "nothing" || status === "closed" ? (hasEnded ? "closed" : "held") : status;
}
