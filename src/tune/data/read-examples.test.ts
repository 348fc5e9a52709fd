import { mkdir, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import fc from "../../../test/fast-check.js";
import { dataPath } from "../../../test/golden.js";
import { GemmaError } from "../../base/errors.js";
import { fileSource } from "./file-source.js";
import { type ReadOptions, readExamples } from "./read-examples.js";
import { type DataRow, rowsSource } from "./source.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gemma-examples-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function fromFile(name: string, content: string | Uint8Array, options?: ReadOptions) {
  const path = join(folder, name);
  await writeFile(path, content);
  try {
    return await readExamples([await fileSource(path)], options);
  } catch (error) {
    if (error instanceof GemmaError) error.message = error.message.replaceAll(`${folder}/`, "");
    throw error;
  }
}

const fromRows = (rows: readonly DataRow[], options?: ReadOptions) => readExamples([rowsSource("rows", rows)], options);
const problemOf = async (row: DataRow, options?: ReadOptions) =>
  fromRows([row], options).then(
    () => "none",
    (error: GemmaError) => error.message.split("rows[0]: ")[1] ?? error.message,
  );

const turn = (role: string, content: string) => ({ role, content });

describe("files", () => {
  const wanted = [
    { kind: "completion", prompt: "a", completion: "b\nc" },
    { kind: "completion", prompt: "ü", completion: "❄" },
  ];

  test.each([
    ["lines.jsonl", '{"prompt":"a","completion":"b\\nc"}\n\n  \n{"prompt":"ü","completion":"❄"}', [":1", ":4"]],
    [
      "crlf.ndjson",
      '\ufeff{"prompt":"a","completion":"b\\nc"}\r\n{"id":7,"prompt":"ü","completion":"❄"}\r\n',
      [":1", ":2"],
    ],
    ["array.json", '\ufeff [{"prompt":"a","completion":"b\\nc"},{"prompt":"ü","completion":"❄"}]', ["[0]", "[1]"]],
    ["table.csv", '\ufeffid,prompt,completion\r\n1,a,"b\nc"\r\n\r\n2,ü,❄\r\n', [":2", ":5"]],
  ])("%s", async (name, content, places) => {
    const { kind, examples } = await fromFile(name, content);
    expect(kind).toBe("completion");
    expect(examples).toEqual(wanted.map((one, i) => ({ ...one, at: join(folder, name) + places[i] })));
  });

  test("messages in CSV are JSON", async () => {
    const { examples } = await fromFile(
      "chat.csv",
      'messages\n"[{""role"":""user"",""content"":""a""},{""role"":""assistant"",""content"":""b""}]"\n',
    );
    expect(examples).toMatchObject([{ kind: "chat", turns: [turn("user", "a"), turn("assistant", "b")] }]);
  });

  test("every broken line is told with its number, and none hides another", async () => {
    const lines = [
      '{"text":"fine"}',
      '{"text":"a","text":"b"}',
      '{"text":"a"',
      '{"text":7}',
      '{"text":" \\u3000"}',
      '{"text":"\\ud800"}',
      '["text"]',
      '{"txt":"a"}',
      '{"prompt":"a","chosen":"b","rejected":"c"}',
      '{"text":"a\u0000"}',
      '{"text":null}',
      `{"text":"${"x".repeat(17 << 20)}"}`,
    ];
    const bytes = Buffer.concat([Buffer.from(`${lines.join("\n")}\n`), Buffer.from([0x22, 0xff, 0x22])]);
    const error = await fromFile("bad.jsonl", bytes).catch((e) => e);
    expect(error).toMatchObject({ code: "ERR_BAD_DATA" });
    expect(error.message.split("\n  ")).toEqual([
      "data: every line must be an example, got 12 of 13 that are not:",
      expect.stringMatching(/^bad.jsonl:2: key "text" must occur once/),
      expect.stringMatching(/^bad.jsonl:3: JSON needs a comma or } at 11, got the end/),
      "bad.jsonl:4: text must be a string, got 7",
      expect.stringMatching(/^bad.jsonl:5: text must not be blank/),
      expect.stringMatching(/^bad.jsonl:6: strings must be whole characters/),
      expect.stringMatching(/^bad.jsonl:7: must be a JSON object/),
      expect.stringMatching(/^bad.jsonl:8: must have messages; prompt and completion; .* got the columns "txt"/),
      "bad.jsonl:9: must go with bad.jsonl:1, which is of the kind text, got preference",
      expect.stringMatching(/^bad.jsonl:10: JSON needs a closing quote/),
      expect.stringMatching(/^bad.jsonl:11: must have messages/),
      expect.stringMatching(/^bad.jsonl:12: must have at most 16777216 bytes/),
      expect.stringMatching(/^bad.jsonl:13: must be UTF-8/),
    ]);
  });

  test("what is wrong is told of twenty broken lines, where they stand of all", async () => {
    const error = await fromFile("many.jsonl", "{}\n".repeat(50)).catch((e) => e);
    const lines = error.message.split("\n  ");
    expect(lines).toHaveLength(22);
    expect(lines[0]).toContain("got 50 of 50 that are not");
    expect([lines[1], lines[20], lines[21]]).toEqual([
      expect.stringMatching(/^many.jsonl:1: /),
      expect.stringMatching(/^many.jsonl:20: /),
      expect.stringMatching(/^and 30 more: many.jsonl:21-50$/),
    ]);
  });

  test("broken CSV records", async () => {
    const error = await fromFile("bad.csv", 'prompt,completion\na\n"b" c,d\n,e\nf,g\n').catch((e) => e);
    expect(error.message.split("\n  ").slice(1)).toEqual([
      "bad.csv:2: must have 2 fields like the first line, got 1",
      expect.stringMatching(/^bad.csv:3: a closing quote must end its field/),
      "bad.csv:4: prompt must be a string, got nothing",
    ]);
  });

  test.each([
    ["none.jsonl", "", "ERR_BAD_DATA"],
    ["none.csv", "", "ERR_BAD_DATA"],
    ["twice.csv", "text,text\na,b\n", "ERR_INVALID_HEADER"],
    ["bytes.csv", Buffer.from([0x61, 0x0a, 0xff]), "ERR_INVALID_UTF8"],
    ["cut.json", '[{"text":"a"},', "ERR_INVALID_JSON"],
    ["table.parquet", "PAR1", "ERR_USAGE"],
  ])("%s is refused as a whole", async (name, content, code) => {
    await expect(fromFile(name, content)).rejects.toMatchObject({ code });
  });

  test("no file, no plain file, a file too large", async () => {
    await mkdir(join(folder, "folder.jsonl"));
    await expect(fileSource(join(folder, "folder.jsonl"))).rejects.toMatchObject({ code: "ERR_IO" });
    const large = join(folder, "large.jsonl");
    await writeFile(large, "");
    await truncate(large, 2 ** 29 + 1); // takes no room
    await expect(fileSource(large)).rejects.toMatchObject({ code: "ERR_LIMIT_EXCEEDED" });
    await expect(fileSource(join(folder, "no.jsonl"))).rejects.toMatchObject({ code: "ERR_MISSING_FILE" });
    await expect(fileSource("/dev/null/x.jsonl")).rejects.toMatchObject({ code: "ERR_IO" });
  });
});

describe("kinds", () => {
  test("preferences in the forms of Hugging Face's sets", async () => {
    const [user, chosen, rejected] = [turn("user", "q"), turn("assistant", "good"), turn("assistant", "bad")];
    const asTexts = { prompt: "q", chosen: "good", rejected: "bad" };
    const asAnswers = { prompt: [user], chosen: [chosen], rejected: [rejected] };
    const conversations = { chosen: [user, chosen], rejected: [user, rejected] };
    const { examples } = await fromRows([
      ...[asTexts, asAnswers, conversations],
      ...[
        { ...conversations, prompt: "q" },
        { ...conversations, prompt: [user] },
      ],
    ]);
    expect(examples.map(({ at: _, ...rest }) => rest)).toEqual([
      { kind: "preference", ...asTexts },
      ...[1, 2, 3, 4].map(() => ({ kind: "preference", ...asAnswers })),
    ]);
    const more = [user, chosen, turn("user", "and?"), rejected];
    const [long] = (await fromRows([{ chosen: more, rejected: more.with(3, chosen) }])).examples;
    expect(long).toMatchObject({ prompt: more.slice(0, 3), chosen: [rejected], rejected: [chosen] });
    const [equal] = (await fromRows([{ chosen: [user, chosen], rejected: [user, chosen] }])).examples;
    expect(equal).toMatchObject({ prompt: [user], chosen: [chosen], rejected: [chosen] });
  });

  test("a blank system message is none, and weight 0 is not learned", async () => {
    const messages = [
      turn("system", " "),
      turn("user", "a"),
      { ...turn("assistant", "b"), weight: 0 },
      turn("user", "c"),
      turn("model", "d"),
    ];
    const { examples } = await fromRows([{ messages }]);
    expect(examples).toMatchObject([
      {
        turns: [
          turn("user", "a"),
          { ...turn("assistant", "b"), isLearned: false },
          turn("user", "c"),
          turn("assistant", "d"),
        ],
      },
    ]);
  });

  const [user, model, system] = [turn("user", "a"), turn("assistant", "b"), turn("system", "s")];
  test.each<[DataRow, string | RegExp]>([
    [{ messages: {} }, "messages must be an array of messages, got an object"],
    [{ messages: "[1" }, /^messages: JSON needs/],
    [{ messages: [] }, "messages must have 1 to 10000 messages, got 0"],
    [{ messages: [user] }, "messages must end with a message of the assistant, got user"],
    [{ messages: [system] }, "messages must end with a message of the assistant, got system"],
    [
      { messages: [model] },
      "messages[0].role must be user (user and assistant must alternate, user first), got assistant",
    ],
    [{ messages: [user, user, model] }, /^messages\[1\].role must be assistant/],
    [{ messages: [user, system, model] }, /^messages\[1\].role must not be system/],
    [{ messages: [user, "b"] }, 'messages[1] must be an object with role and content, got "b"'],
    [{ messages: [user, { ...model, role: "bot" }] }, 'messages[1].role must be system, user or assistant, got "bot"'],
    [{ messages: [user, { role: "assistant" }] }, "messages[1].content must be a string, got nothing"],
    [{ messages: [user, { role: "assistant", content: null, tool_calls: [{}] }] }, /^messages\[1\].tool_calls must/],
    [{ messages: [user, turn("assistant", "\x1c\n")] }, /^messages\[1\].content must not be blank/],
    [{ messages: [user, turn("assistant", "\ud800")] }, /^messages\[1\].content must be whole characters/],
    [{ messages: [user, { ...model, weight: 0.5 }] }, "messages[1].weight must be 0 or 1, got 0.5"],
    [{ messages: [user, { ...model, weight: 0 }] }, /^messages must have one of the assistant to learn from/],
    [{ completion: "b" }, "prompt must be a string, got nothing"],
    [{ prompt: "a", chosen: "b" }, "rejected must be a string, got nothing"],
    [{ prompt: [model], completion: "b" }, /^prompt\[0\].role must be user/],
    [{ prompt: "a", completion: [user] }, /^completion\[0\].role must be assistant/],
    [{ chosen: "a", rejected: "b" }, "prompt must be a string, got nothing"],
    [
      { chosen: [user, model], rejected: [turn("user", "x"), model] },
      "chosen and rejected must begin with the same message of the user",
    ],
    [{ prompt: "x", chosen: [user, model], rejected: [user, model] }, /^prompt must be what chosen and rejected/],
    [{ prompt: [turn("user", "x")], chosen: [user, model], rejected: [user, model] }, /^prompt must be what chosen/],
    [{ text: "a", completion: "b", prompt: "c" }, /^must be of one kind, got columns of completion and text/],
    [{ question: "a" }, /^must have messages; .* got the columns "question"$/],
    [null as unknown as DataRow, "must be an object, got null"],
  ])("%j is refused", async (row, problem) => {
    expect(await problemOf(row)).toEqual(typeof problem === "string" ? problem : expect.stringMatching(problem));
  });

  test("columns by other names, and a kind by name", async () => {
    const row = { question: "a", answer: "b", text: "c" };
    const columns = { prompt: "question", completion: "answer" };
    const { examples } = await fromRows([row], { columns, kind: "completion" });
    expect(examples).toEqual([{ kind: "completion", at: "rows[0]", prompt: "a", completion: "b" }]);
    expect(await problemOf({ ...row, answer: 1 }, { columns, kind: "completion" })).toBe(
      "answer must be a string, got 1",
    );
    expect(await problemOf(row, { kind: "chat" })).toBe("messages must be an array of messages, got nothing");
  });

  test("kinds mix, preferences do not; no example is an error; an abort is heard", async () => {
    const [texts, others] = [
      rowsSource("a", [{ text: "a" }]),
      rowsSource("b", () => [{ prompt: "a", completion: "b" }]),
    ];
    const mixed = await readExamples([texts, others]);
    expect(mixed.examples.map(({ kind }) => kind)).toEqual(["text", "completion"]);
    const preferences = rowsSource("b", () => [{ prompt: "a", chosen: "b", rejected: "c" }]);
    for (const [sources, where] of [
      [[texts, preferences], "b[0]: must go with a[0], which is of the kind text, got preference"],
      [[preferences, others], "b[0]: must go with b[0], which is of the kind preference, got completion"],
    ] as const) {
      await expect(readExamples(sources)).rejects.toThrow(where);
    }
    await expect(readExamples([])).rejects.toMatchObject({ code: "ERR_BAD_DATA" });
    await expect(readExamples([texts], { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
  });
});

test("any line is an example or is told by its number", async () => {
  const key = fc.constantFrom("messages", "prompt", "completion", "text", "chosen", "rejected", "role", "__proto__");
  const value = fc.letrec((tie) => ({
    any: fc.oneof({ maxDepth: 3 }, fc.string(), fc.constantFrom(null, 1, true), tie("list"), tie("object")),
    list: fc.array(tie("any"), { maxLength: 3 }),
    object: fc.dictionary(key, tie("any"), { maxKeys: 3 }),
  }));
  const line = fc.oneof(
    value.object.map((one) => JSON.stringify(one)),
    fc.string({ unit: "binary" }).map((one) => one.replaceAll("\n", " ")),
    fc.constant('{"text":"a"}'),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 6 }), async (lines) => {
      const outcome = await fromFile("any.jsonl", lines.join("\n")).then(
        ({ examples }) => examples.length,
        (error) => error,
      );
      if (typeof outcome === "number") return;
      expect(outcome).toMatchObject({ code: "ERR_BAD_DATA" });
      if (lines.some((one) => one.trim() !== "") && !outcome.message.includes("got none")) {
        expect(outcome.message).toMatch(/\n {2}any\.jsonl:\d+: /);
      }
    }),
    { seed: 5, numRuns: 150 },
  );
});

const published = [
  ["dolly_hhrlhf_small", "chat", 998],
  ["german_dpr_instruct", "chat", 1500],
  ["hh_rlhf_harmless_preferences", "preference", 1000],
  ["llms_from_scratch_preferences", "preference", 1089],
] as const;
describe.each(published)("%s", (name, kind, count) => {
  const path = dataPath(`tuning/${name}.jsonl`);
  test.skipIf(path === undefined)("is read whole", async () => {
    const read = await readExamples([await fileSource(path!)]);
    expect([read.kind, read.examples.length]).toEqual([kind, count]);
  });
});
