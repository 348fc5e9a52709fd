import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isBuilt } from "../../test/helpers/built-cli.js";
import { hubFixture } from "../../test/helpers/hub-server.js";
import { GemmaError } from "../base/errors.js";
import { seededRng } from "../base/rng.js";
import { readTable } from "./read-table.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gemma-table-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function rowsOf(...paths: string[]) {
  const rows: unknown[] = [];
  for await (const { row } of readTable(paths, (i) => `file ${i}`)) rows.push({ ...row });
  return rows;
}

async function fileOf(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

describe("texts", () => {
  const rows = [
    { a: "1", b: "x\ny" },
    { a: "2", b: "ü, ❄" },
  ];

  test.each([
    ["lines.jsonl", `${JSON.stringify(rows[0])}\n\n${JSON.stringify(rows[1])}`],
    ["lines.json", `\ufeff${JSON.stringify(rows[0])}\r\n${JSON.stringify(rows[1])}\r\n`],
    ["array.json", ` ${JSON.stringify(rows)}\n`],
    ["lines.jsonl.gz", gzipSync(rows.map((row) => JSON.stringify(row)).join("\n"))],
    ["table.csv", '\ufeffa,b\r\n1,"x\ny"\r\n2,"ü, ❄"\r\n'],
    ["table.csv.gz", gzipSync('a,b\n1,"x\ny"\n2,"ü, ❄"\n')],
  ])("%s", async (name, content) => {
    expect(await rowsOf(await fileOf(name, content))).toEqual(rows);
  });

  test("several files, one behind the other", async () => {
    const [a, b] = [await fileOf("1.jsonl", '{"n":1}'), await fileOf("2.csv", "n\n2")];
    expect(await rowsOf(a, b)).toEqual([{ n: 1 }, { n: "2" }]);
    expect(await rowsOf()).toEqual([]);
  });

  test.each([
    ["broken.jsonl", '{"a":1}\n{"a"', "ERR_INVALID_JSON", "file 0:2: "],
    ["value.jsonl", "3", "ERR_INVALID_JSON", "file 0:1: must be a JSON object"],
    ["bytes.jsonl", Buffer.from([0x22, 0xff, 0x22]), "ERR_INVALID_UTF8", "file 0:1: "],
    ["values.json", "[1]", "ERR_INVALID_JSON", "file 0[0]: must be a JSON object"],
    ["cut.jsonl.gz", gzipSync("{}").subarray(0, 12), "ERR_CHECKSUM", "file 0: must be whole gzip data"],
    ["ragged.csv", "a,b\n1\n", "ERR_INVALID_VALUE", "file 0:2: must be CSV"],
    ["quote.csv", 'a\n"1\n', "ERR_INVALID_VALUE", "file 0:2: must be CSV"],
    ["bytes.csv", Buffer.from([0x61, 0x0a, 0xff]), "ERR_INVALID_UTF8", "file 0: must be UTF-8"],
    ["none.parquet", "hello, world", "ERR_BAD_MAGIC", "file 0: must be a Parquet file"],
  ])("%s is refused", async (name, content, code, message) => {
    const path = await fileOf(name, content);
    await expect(rowsOf(path)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });

  test("gzip that unpacks to more than the limit", { timeout: 120_000 }, async () => {
    const member = gzipSync(Buffer.alloc(1 << 26));
    const path = await fileOf("bomb.jsonl.gz", Buffer.concat(Array.from({ length: 9 }, () => member)));
    await expect(rowsOf(path)).rejects.toMatchObject({ code: "ERR_LIMIT_EXCEEDED" });
  });
});

describe.skipIf(!isBuilt)("Parquet", () => {
  test("values that JSON has no form for", async () => {
    expect(await rowsOf(hubFixture("kinds"))).toEqual([
      {
        ...{
          big: "9007199254740993",
          real: null,
          flag: true,
          when: "1970-01-01T00:00:00.000Z",
          bytes: expect.anything(),
        },
        ...{ nested: [{ a: 1, b: ["x", null] }, null], word: "schön" },
      },
      { big: -1, real: 0.5, flag: null, when: null, bytes: null, nested: null, word: null },
      { big: null, real: null, flag: false, when: "1970-01-01T00:00:00.001Z", bytes: "", nested: [], word: "" },
    ]);
  });

  test("line ends of JavaScript inside a text, where node:readline cuts from Node 24 on", async () => {
    const bytes = readFileSync(hubFixture("piqa")).toString("latin1").replaceAll("owe", "\xe2\x80\xa8");
    const path = await fileOf("separator.parquet", Buffer.from(bytes, "latin1"));
    expect(await rowsOf(path)).toMatchObject([{ goal: "fold a t\u2028l" }, { goal: "cool a cup" }]);
    const { stdout } = spawnSync(process.execPath, ["dist/load/parquet-process.js", path], { encoding: "utf8" });
    expect(stdout).toContain("fold a t\\u2028l");
  });

  test("several files come from one process, each with its index", async () => {
    const files: number[] = [];
    for await (const { file } of readTable([hubFixture("piqa"), hubFixture("bbh"), hubFixture("arc")], String))
      files.push(file);
    expect(files).toEqual([0, 0, 1, 2, 2]);
  });

  test("an abort ends it", async () => {
    const paths = Array.from({ length: 50 }, () => hubFixture("mmlu"));
    const controller = new AbortController();
    const read = async () => {
      for await (const _ of readTable(paths, String, controller.signal)) controller.abort(new Error("enough"));
    };
    await expect(read()).rejects.toThrow("enough");
  });

  // Counts and lengths that lie, in a page's head, a run of levels, the footer: wherever the bytes are.
  test("damaged bytes: rows or a GemmaError, and this process lives", { timeout: 120_000 }, async () => {
    const rng = seededRng(7);
    const outcomes = new Set<string>();
    for (const name of ["commonsense_qa", "kinds", "arc", "openbookqa"]) {
      const whole = readFileSync(hubFixture(name));
      for (let i = 0; i < 6; i++) {
        const bytes = Buffer.from(whole);
        const at = rng.integer(bytes.length - 8) + 4;
        for (let j = at; j < Math.min(at + 1 + rng.integer(5), bytes.length - 4); j++)
          bytes[j] = i % 2 ? 0xff : rng.integer(256);
        const path = await fileOf("damaged.parquet", bytes);
        outcomes.add(
          await rowsOf(path).then(
            () => "rows",
            (error) => (error instanceof GemmaError ? error.code : String(error)),
          ),
        );
      }
    }
    const known = ["rows", "ERR_INVALID_HEADER", "ERR_LIMIT_EXCEEDED"];
    expect([...outcomes].filter((outcome) => !known.includes(outcome))).toEqual([]);
    expect(outcomes).toContain("ERR_INVALID_HEADER");
  });

  test("a file cut short", async () => {
    const whole = readFileSync(hubFixture("arc"));
    const cut = Buffer.concat([whole.subarray(0, 300), whole.subarray(-200)]);
    await expect(rowsOf(await fileOf("cut.parquet", cut))).rejects.toMatchObject({ code: "ERR_INVALID_HEADER" });
  });
});
