import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "fflate";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { serveFile, startServer, type TestServer, testNet } from "../../../test/helpers/https-server.js";
import { fetchKaggle } from "./kaggle.js";

const gguf = Buffer.concat([Buffer.from("GGUF"), Buffer.alloc(20_000, 7)]);
const sha256 = createHash("sha256").update(gguf).digest("hex");

let home: string;
let server: TestServer;
let answer: (req: IncomingMessage, res: ServerResponse) => void;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "gemma-kaggle-"));
  server = await startServer((req, res) => answer(req, res));
});

afterEach(async () => {
  await server.close();
  await rm(home, { recursive: true, force: true });
});

describe("kaggle:", () => {
  const spec = { kind: "kaggle", owner: "g", model: "m", framework: "f", variation: "v" } as const;

  async function fetchIt(env: NodeJS.ProcessEnv) {
    const net = testNet();
    const site = new URL(`https://hub.example:${server.port}`);
    const signal = new AbortController().signal;
    try {
      return await fetchKaggle(
        spec,
        { folder: home, net, env: { HOME: home, ...env }, signal, onProgress: undefined },
        site,
      );
    } finally {
      await net.close();
    }
  }

  function kaggle(files: Readonly<Record<string, Uint8Array>>) {
    return (req: IncomingMessage, res: ServerResponse): void => {
      const url = req.url ?? "";
      const credentials = `Basic ${Buffer.from("me:key").toString("base64")}`;
      if (req.headers.authorization !== credentials) return void res.writeHead(403).end();
      if (url === "/api/v1/models/g/m/f/v/get") return void res.end(JSON.stringify({ versionNumber: 4 }));
      if (url === "/api/v1/models/g/m/f/v/4/files?page_size=25") {
        const [first = "", ...rest] = Object.keys(files);
        return void res.end(JSON.stringify({ files: [{ name: first }], nextPageToken: rest.length > 0 ? "p2" : "" }));
      }
      if (url === "/api/v1/models/g/m/f/v/4/files?page_size=25&page_token=p2") {
        return void res.end(
          JSON.stringify({
            files: Object.keys(files)
              .slice(1)
              .map((name) => ({ name })),
          }),
        );
      }
      const bytes = files[url.replace("/api/v1/models/g/m/f/v/4/download/", "")];
      if (bytes === undefined) res.writeHead(404).end();
      else serveFile(bytes)(req, res);
    };
  }

  test("the newest version's model folder, file by file", async () => {
    answer = kaggle({ "config.json": Buffer.from("{}"), "model.safetensors": gguf, "notes.txt": gguf });
    const fetched = await fetchIt({ KAGGLE_USERNAME: "me", KAGGLE_KEY: "key" });
    expect(fetched.origin).toBe("kaggle:g/m/f/v/4");
    expect(fetched.files.map((file) => file.name)).toEqual(["config.json", "model.safetensors"]);
  });

  test("a variation that is one .tar.gz is unpacked by name; credentials come from kaggle.json", async () => {
    await mkdir(join(home, ".kaggle"));
    await writeFile(join(home, ".kaggle", "kaggle.json"), '{"username":"me","key":"key"}');
    answer = kaggle({ "a.tar.gz": tarGz({ "dir/m.gguf": gguf, "dir/run.sh": Buffer.from("rm") }) });
    const fetched = await fetchIt({});
    expect(fetched.files).toEqual([{ name: "m.gguf", sizeBytes: gguf.length, sha256, checkedAgainst: "none" }]);
    expect(await readFile(join(home, "m.gguf"))).toEqual(gguf);
    expect(existsSync(join(home, "run.sh"))).toBe(false);
  });

  test.each([
    ["a path that leads out", { "../m.gguf": gguf }, "ERR_PATH_ESCAPE"],
    ["two files of one name", { "a/m.gguf": gguf, "b/m.gguf": gguf }, "ERR_DUPLICATE_NAME"],
    ["no model", { "x.txt": gguf }, "ERR_MISSING_FILE"],
  ])("an archive with %s is refused", async (_what, files, code) => {
    answer = kaggle({ "a.tar.gz": tarGz(files) });
    await expect(fetchIt({ KAGGLE_USERNAME: "me", KAGGLE_KEY: "key" })).rejects.toMatchObject({ code });
    expect((await readdir(home)).filter((name) => name.endsWith(".gguf"))).toEqual([]);
  });

  test("without credentials it says what to do", async () => {
    answer = kaggle({});
    await expect(fetchIt({})).rejects.toMatchObject({
      code: "ERR_GATED",
      hint: expect.stringContaining("export KAGGLE_USERNAME="),
    });
  });
});

/** A minimal ustar archive. */
function tarGz(files: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const blocks = Object.entries(files).flatMap(([name, bytes]) => {
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write("0000644\0", 100);
    header.write(`${bytes.length.toString(8).padStart(11, "0")}\0`, 124);
    header.write("        0", 148);
    header.write("ustar\x0000", 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    return [header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}
