import { monitorEventLoopDelay } from "node:perf_hooks";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { schemaGrammar } from "../../src/engine/schema/schema-grammar.js";
import type { GrammarService } from "../../src/runtime/grammar.js";
import type { TemplateRenderer } from "../../src/runtime/jinja-template.js";
import { Tokenizer } from "../../src/tokenizer/tokenizer.js";
import { isBuilt } from "../helpers/built-cli.js";
import { tinyVocabularies } from "../tiny-spm.js";

// Workers run JavaScript: these tests use the build.
const built = <T>(module: string): Promise<T> =>
  import(new URL(`../../dist/runtime/${module}.js`, import.meta.url).href);

describe.skipIf(!isBuilt)("templates in their process", () => {
  let renderer: TemplateRenderer;
  beforeAll(async () => {
    const { TemplateRenderer } = await built<typeof import("../../src/runtime/jinja-template.js")>("jinja-template");
    const { startTemplateProcess } = await built<typeof import("../../src/runtime/platform-node.js")>("platform-node");
    renderer = new TemplateRenderer(startTemplateProcess);
  });
  afterAll(() => renderer.dispose());

  const LOOPS = "{% for a in r %}{% for b in r %}{% for c in r %}{% endfor %}{% endfor %}{% endfor %}";
  const BOMBS: readonly [string, string][] = [
    ["a long loop", "{% for i in range(400000) %}{% endfor %}"],
    ["a longer loop", "{% for i in range(1000000) %}{% endfor %}"],
    ["an endless range", "{% for i in range(100000000) %}{% endfor %}"],
    ["nested loops", `{% set r = range(300) %}${LOOPS}`],
    ["doublings", `{% set a = "aaaaaaaa" %}${"{% set a = a + a %}".repeat(24)}{{ a }}`],
    ["parentheses", `{{ ${"(".repeat(20_000)}1${")".repeat(20_000)} }}`],
  ];

  test.each(BOMBS)("%s ends in ERR_TEMPLATE_BUDGET, and this thread goes on", async (_, template) => {
    expect(await renderer.render("{{ 1 + 1 }}", {})).toBe("2"); // the process runs
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    const start = performance.now();
    await expect(renderer.render(template, {})).rejects.toMatchObject({ code: "ERR_TEMPLATE_BUDGET" });
    const ms = performance.now() - start;
    delay.disable();
    expect(ms).toBeLessThan(400);
    expect(delay.max / 1e6).toBeLessThan(50);
  });

  test("what waits behind a bomb is rendered", async () => {
    const bomb = renderer.render(BOMBS[1]![1], {});
    const next = renderer.render("{{ a }}", { a: "b" });
    await expect(bomb).rejects.toMatchObject({ code: "ERR_TEMPLATE_BUDGET" });
    expect(await next).toBe("b");
  });
});

describe.skipIf(!isBuilt)("grammars in their worker", () => {
  const tokenizer = Tokenizer.fromVocabulary(tinyVocabularies.gguf());
  const signal = new AbortController().signal;
  let service: GrammarService;
  beforeAll(async () => {
    const { GrammarService, grammarVocabulary } = await built<typeof import("../../src/runtime/grammar.js")>("grammar");
    const { startGrammarWorker } = await built<typeof import("../../src/runtime/platform-node.js")>("platform-node");
    service = new GrammarService(
      grammarVocabulary(tokenizer.vocabulary, tokenizer.eosIds, tokenizer.size),
      startGrammarWorker,
    );
  });
  afterAll(() => service.dispose());

  const allowed = (bits: Uint32Array | undefined) =>
    Array.from({ length: tokenizer.size }, (_, id) => id).filter((id) => (bits![id >> 5]! >>> (id & 31)) & 1);

  test("a grammar that takes too long fails alone: the others are replayed", async () => {
    const grammar = schemaGrammar({ type: "array", items: { enum: ["a", "b"] }, minItems: 2, maxItems: 2 });
    const mask = await service.open(grammar, signal);
    for (const piece of ["[", '"', "a"]) {
      const id = allowed(mask.bits).find((token) => tokenizer.tokenText(token) === piece);
      mask.accept(id!);
      await mask.whenReady();
    }
    const before = allowed(mask.bits);
    // 900 characters of a wide class, 400 times: far more states than fit the budget.
    const wide = { type: "string", pattern: "^[^a]{1,900}b?$" };
    const hostile = { type: "array", prefixItems: new Array(400).fill(wide) };
    const start = performance.now();
    await expect(service.open(schemaGrammar(hostile), signal)).rejects.toMatchObject({ code: "ERR_SCHEMA" });
    expect(performance.now() - start).toBeLessThan(5000);
    mask.accept(before.find((token) => tokenizer.tokenText(token) === '"')!);
    await mask.whenReady();
    expect(allowed(mask.bits).map((token) => tokenizer.tokenText(token))).toContain(",");
    mask.close();
  });
});
