// What a client got, chunk by chunk, read after the fact: while it is measured a client only notes times.

/** `data` fields of server-sent events, in pieces of text as they come. */
export class SseReader {
  #rest = "";
  #data = [];

  /** @returns {string[]} the data of each event that `text` completes */
  push(text) {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop();
    const events = [];
    for (const ended of lines) {
      const line = ended.endsWith("\r") ? ended.slice(0, -1) : ended;
      if (line === "") {
        if (this.#data.length > 0) events.push(this.#data.join("\n"));
        this.#data = [];
      } else if (line.startsWith("data:")) this.#data.push(line.slice(line[5] === " " ? 6 : 5));
    }
    return events;
  }
}

/**
 * A streamed completion, of text or chat.
 *
 * @param chunks [{ atMs, bytes }], times since the request was sent
 * @returns {{ text, pieces: { atMs, text }[], finishReason, usage, isDone, error }} pieces: events that carry text. error: the
 *     body of an error event, or null
 */
export function readStream(chunks) {
  const decoder = new TextDecoder();
  const reader = new SseReader();
  const answer = { text: "", pieces: [], finishReason: null, usage: null, isDone: false, error: null };
  for (const { atMs, bytes } of chunks) {
    for (const data of reader.push(decoder.decode(bytes, { stream: true }))) {
      if (data === "[DONE]") answer.isDone = true;
      else addEvent(answer, atMs, JSON.parse(data));
    }
  }
  answer.text = answer.pieces.map(({ text }) => text).join("");
  return answer;
}

function addEvent(answer, atMs, event) {
  if (event.error) answer.error = event.error;
  if (event.usage) answer.usage = event.usage;
  const choice = event.choices?.[0];
  if (choice === undefined) return;
  const text = choice.text ?? choice.delta?.content ?? "";
  if (text !== "") answer.pieces.push({ atMs, text });
  answer.finishReason = choice.finish_reason ?? answer.finishReason;
}

/** Time to the first text, and between those that follow. */
export function paces({ pieces }) {
  return {
    firstMs: pieces[0]?.atMs ?? null,
    gapsMs: pieces.slice(1).map(({ atMs }, i) => atMs - pieces[i].atMs),
  };
}
