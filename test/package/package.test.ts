import { execFileSync, spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { builtBackends, isLibraryBuilt } from "../helpers/built-library.js";
import { hasStoryteller, STORYTELLER, TINY } from "../helpers/tiny-models.js";

// What `npm pack` would publish, installed into a project of its own. Its dependencies are linked from this clone, so
// that nothing is fetched.

const root = fileURLToPath(new URL("../../", import.meta.url));
const { dependencies, peerDependencies, version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const tsc = join(root, "node_modules/typescript/bin/tsc");

const npm = (cwd: string, ...args: string[]) =>
  execFileSync("npm", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
const writeJson = (path: string, value: unknown) => writeFileSync(path, JSON.stringify(value));

describe.skipIf(!isLibraryBuilt)("the packed package", () => {
  let folder = "";
  let app = "";
  let packed: string[] = [];

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "gemma-package-"));
    app = join(folder, "app");
    mkdirSync(app);
    const [pack] = JSON.parse(npm(root, "pack", "--json", "--pack-destination", folder));
    packed = pack.files.map(({ path }: { path: string }) => path);
    const links = Object.keys(dependencies).map((name) => [name, `file:${join(root, "node_modules", name)}`]);
    const ours = { "gemma-ts": `file:${join(folder, pack.filename)}` };
    const project = {
      name: "app",
      private: true,
      type: "module",
      dependencies: { ...Object.fromEntries(links), ...ours },
    };
    writeJson(join(app, "package.json"), project);
    npm(app, "install", "--offline", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock");
  }, 120_000);
  afterAll(() => {
    if (folder !== "") rmSync(folder, { recursive: true });
  });

  function run(file: string, source: string) {
    writeFileSync(join(app, file), source);
    const { status, stdout, stderr } = spawnSync(process.execPath, [file], { cwd: app, encoding: "utf8" });
    return { status, stdout, stderr };
  }

  /** What an application that uses the adapters has installed. */
  function linkFrameworks() {
    for (const name of ["ai", ...Object.keys(peerDependencies)]) {
      const link = join(app, "node_modules", name);
      if (existsSync(link)) continue;
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(join(root, "node_modules", name), link);
    }
  }

  /** The TypeScript of a Markdown file. */
  const codeOf = (markdown: string) => [...markdown.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code!);

  function transpile(source: string): string {
    const options = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, verbatimModuleSyntax: true };
    return ts.transpileModule(source, { compilerOptions: options }).outputText;
  }

  test("holds the build, the binary of this platform, the site, the models and the papers, and nothing else", () => {
    const kindOf = (path: string) => {
      if (path.startsWith("dist-site/")) return "dist-site/**";
      return path.startsWith("dist/") ? path.replace(/.*?(\.d\.ts|\.\w+)$/, "dist/**$1") : path;
    };
    const kinds = new Set(packed.map(kindOf));
    const tuned = [
      ...["README.md", "adapter_config.json", "adapter_model.safetensors", "chat_template.jinja"],
      ...["generation_config.json", "report.html"],
    ];
    const trained = hasStoryteller ? ["MODEL_CARD.md", `${STORYTELLER}.gguf`, "loss.svg"] : ["MODEL_CARD.md"];
    const models = [
      ...tuned.map((name) => `models/gemma-3-270m-it-ts/${name}`),
      ...trained.map((name) => `models/${STORYTELLER}/${name}`),
    ];
    const papers = ["CHANGELOG.md", "LICENSE", "NOTICE", "README.md", "package.json"];
    const binary = builtBackends.includes("native") ? ["build/native/gemma.node"] : [];
    const site = existsSync(join(root, "dist-site/index.html")) ? ["dist-site/**"] : [];
    const built = ["dist/**.d.ts", "dist/**.js", "dist/**.wasm"];
    expect([...kinds].sort()).toEqual([...papers, ...binary, ...site, ...models, ...built].sort());
    expect(packed.filter((path) => path.includes(".test."))).toEqual([]);
  });

  test("its modules are ES modules that need no require", () => {
    for (const path of packed.filter((p) => /^dist\/.*\.js$/.test(p))) {
      const source = readFileSync(join(app, "node_modules/gemma-ts", path), "utf8");
      const calls =
        source.match(/(?<![\w.])(require\(["'`]|require\.resolve\(|module\.exports\b|createRequire\().*/g) ?? [];
      // A .node file has no other way in; a bundle for browsers has packages in it that could run elsewhere, too.
      if (!/(load-addon|bundle\/worker-node|web\/bundle\/.*)\.js$/.test(path)) expect(calls, path).toEqual([]);
    }
  });

  test("import: the library generates, its native engine in a worker", () => {
    const source = `
      import { Gemma } from "gemma-ts";
      const gemma = await Gemma.load(${JSON.stringify(TINY.gemma3)}, { backend: "${builtBackends[0]}" });
      const { ids } = await gemma.generate("the", { maxTokens: 5, ignoreEos: true }).result;
      console.log(ids.length, gemma.info.backend.name);`;
    expect(run("main.js", source)).toEqual({ status: 0, stdout: `5 ${builtBackends[0]}\n`, stderr: "" });
  });

  test.skipIf(!hasStoryteller)("import: the model that ships with it answers, without a download", () => {
    const source = `
      import { Gemma } from "gemma-ts";
      const options = { backend: "${builtBackends[0]}", offline: true, home: "./empty" };
      const gemma = await Gemma.load("${STORYTELLER}", options);
      console.log(await gemma.generate("Once upon a", { maxTokens: 1, temperature: 0 }).text());
      await gemma.dispose();`;
    expect(run("storyteller.js", source)).toEqual({ status: 0, stdout: " time\n", stderr: "" });
  });

  test("import: the programs of docs/evaluation.md", () => {
    const [program, task] = codeOf(readFileSync(join(root, "docs/evaluation.md"), "utf8"));
    mkdirSync(join(app, "benchmarks"));
    const rows = Array.from({ length: 3 }, (_, i) => ({ question: `the ${i}`, choices: ["no", "yes"], answer: i % 2 }));
    for (const name of ["piqa", "boolq"]) {
      const lines = rows.map((row, i) => JSON.stringify({ id: `${i}`, title: "t", passage: "the", ...row }));
      writeFileSync(join(app, "benchmarks", `${name}.jsonl`), lines.join("\n"));
    }
    const tiny = program!.replace('"gemma-3-270m"', JSON.stringify(TINY.gemma3)).replace("await using", "const");
    const { status, stdout } = run("program.js", `${transpile(tiny)}\nawait gemma.dispose();`);
    expect([status, stdout]).toEqual([
      0,
      expect.stringMatching(/^boolq: acc [\d.]+ \[[\d.]+, [\d.]+\], 3 items\npiqa: acc_norm .* 3 items\n$/),
    ]);
    const use = `
      import { evaluate, planTasks, summarise } from "gemma-ts/eval";
      import { capitals, data } from "./task.js";
      const model = {
        name: "short", contextLength: 100, countTokens: async (text) => text.length, generate: async () => [],
        logprobs: async (pairs) => pairs.map(({ continuation }) => ({ sum: -continuation.length, tokens: [] })),
      };
      const records = await evaluate(await planTasks([capitals], data, { seed: 0 }), { model, seed: 0 });
      const { tasks } = await summarise([capitals], records);
      console.log(records.length, records[0].context, tasks[0].metric);`;
    writeFileSync(join(app, "task.js"), transpile(task!));
    const own = run("use.js", use);
    expect(own).toMatchObject({ status: 0, stderr: "" });
    expect(own.stdout).toMatch(/^2 The capital of (\w+) is \w+\n\nThe capital of (\w+) is acc\n$/);
  });

  test.each([
    { path: "eval", least: 40 },
    { path: "integrations/prompt-api", least: 10 },
    { path: "web", least: 30 },
  ])("gemma-ts/$path needs no Node", ({ path: folder, least }) => {
    const found = new Set<string>();
    const follow = (path: string) => {
      if (found.has(path)) return;
      found.add(path);
      for (const [, name] of readFileSync(path, "utf8").matchAll(/\b(?:from|import\()\s*"([^"]+)"/g)) {
        expect(name, path).toMatch(/^\.{1,2}\//);
        follow(join(dirname(path), name!));
      }
    };
    follow(join(app, "node_modules/gemma-ts/dist", folder, "index.js"));
    expect(found.size).toBeGreaterThan(least);
  });

  const tryImports = (...names: string[]) => {
    const source = `
      const tried = await Promise.allSettled(${JSON.stringify(names)}.map((name) =>
        import(name, name.endsWith("json") ? { with: { type: "json" } } : {})));
      console.log(tried.map((r) => r.reason?.code ?? "ok").join());`;
    return run("exports.js", source).stdout.trim().split(",");
  };

  test("only what is exported can be imported", () => {
    const exported = ["gemma-ts", "gemma-ts/eval", "gemma-ts/prompt-api", "gemma-ts/web", "gemma-ts/package.json"];
    expect(tryImports(...exported)).toEqual(exported.map(() => "ok"));
    const inner = ["gemma-ts/dist/engine/engine.js", "gemma-ts/engine", "gemma-ts/integrations/ai-sdk"];
    expect(tryImports(...inner)).toEqual(inner.map(() => "ERR_PACKAGE_PATH_NOT_EXPORTED"));
  });

  test("npx gemma --version", () => {
    expect(npm(app, "exec", "--no", "--", "gemma", "--version")).toBe(`${version}\n`);
  });

  test("import: the program of docs/tuning-report.md", () => {
    const [program] = codeOf(readFileSync(join(root, "docs/tuning-report.md"), "utf8"));
    writeFileSync(join(app, "held-out.jsonl"), '{"prompt":"the","completion":"the the"}\n');
    const tiny = program!
      .replace('load("gemma-3-270m"', `load(${JSON.stringify(TINY.gemma3)}`)
      .replace('"runs/first/adapter"', JSON.stringify(TINY.adapter))
      .replace("await using", "const");
    const { status, stdout } = run("report.js", `${transpile(tiny)}\nawait gemma.dispose();`);
    expect([status, stdout]).toEqual([
      0,
      expect.stringMatching(/^target loss .* nats a token \(±.*\); nothing else moved\n$/),
    ]);
    expect(readFileSync(join(app, "report.html"), "utf8")).toContain("Insults declined");
  });

  const libs = ["ES2022", "ESNext.Disposable"];
  test.each([
    { module: "NodeNext", moduleResolution: "NodeNext", lib: libs },
    { module: "ESNext", moduleResolution: "Bundler", lib: [...libs, "DOM", "DOM.AsyncIterable"] },
  ])("types hold under $moduleResolution resolution", { timeout: 60_000 }, (options) => {
    copyFileSync(fileURLToPath(new URL("app.ts.txt", import.meta.url)), join(app, "app.ts"));
    const files = ["app.ts"];
    const pages = options.lib.includes("DOM")
      ? ["evaluation", "tuning-report", "browser"]
      : ["evaluation", "tuning-report"];
    const programs = pages.flatMap((page) => codeOf(readFileSync(join(root, `docs/${page}.md`), "utf8")));
    for (const [i, code] of programs.entries()) {
      writeFileSync(join(app, `docs-${i}.ts`), code);
      files.push(`docs-${i}.ts`);
    }
    const shared = { target: "ES2022", strict: true, noEmit: true, skipLibCheck: false, types: ["node"] };
    const typeRoots = [join(root, "node_modules/@types")];
    writeJson(join(app, "tsconfig.json"), { compilerOptions: { ...shared, ...options, typeRoots }, files });
    const { status, stdout } = spawnSync(process.execPath, [tsc, "-p", app], { encoding: "utf8" });
    expect([status, stdout]).toEqual([0, ""]);
  });

  test("adapters need their frameworks, which are not installed with the package", () => {
    const adapters = ["gemma-ts/ai-sdk", "gemma-ts/langchain"];
    expect(tryImports(...adapters)).toEqual(["ERR_MODULE_NOT_FOUND", "ERR_MODULE_NOT_FOUND"]);
    linkFrameworks();
    expect(tryImports(...adapters)).toEqual(["ok", "ok"]);
  });

  test("types of examples/ hold beside the frameworks", { timeout: 60_000 }, () => {
    linkFrameworks();
    const files = readdirSync(join(root, "examples"));
    for (const file of files) copyFileSync(join(root, "examples", file), join(app, file));
    // Not without skipLibCheck: @ai-sdk/provider has types of json-schema, which it does not depend on.
    const modules = { module: "NodeNext", moduleResolution: "NodeNext", skipLibCheck: true };
    const shared = { target: "ES2022", lib: [...libs, "DOM", "DOM.AsyncIterable"], strict: true, noEmit: true };
    const typeRoots = [join(root, "node_modules/@types")];
    writeJson(join(app, "tsconfig.json"), {
      compilerOptions: { ...shared, ...modules, typeRoots, types: ["node"] },
      files,
    });
    const { status, stdout } = spawnSync(process.execPath, [tsc, "-p", app], { encoding: "utf8" });
    expect([status, stdout]).toEqual([0, ""]);
  });

  test("without a binary: one clear error that says what to do", () => {
    const binary = join(app, "node_modules/gemma-ts/build/native/gemma.node");
    if (existsSync(binary)) rmSync(binary);
    const source = `
      import { Gemma } from "gemma-ts";
      const error = await Gemma.load(${JSON.stringify(TINY.gemma3)}, { backend: "native" }).catch((e) => e);
      console.log(JSON.stringify(error));`;
    const { stdout } = run("without.js", source);
    expect(JSON.parse(stdout)).toMatchObject({
      code: "ERR_BACKEND_UNAVAILABLE",
      message: expect.stringContaining(`there is no binary for ${process.platform}-${process.arch}`),
      hint: expect.stringContaining("reference"),
    });
  });
});
