import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { scriptedModel } from "../helpers/scripted-model.js";
import { DESKTOP, PHONE, siteBrowser, TestSite } from "../helpers/site.js";
import { TINY } from "../helpers/tiny-models.js";

const command = siteBrowser();

describe.skipIf(command === undefined)("the playground", () => {
  const site = new TestSite(command);
  let model: Awaited<ReturnType<typeof scriptedModel>>;
  beforeAll(async () => {
    model = await scriptedModel();
  });
  afterAll(() => model.close());

  async function connected(path = "en/playground/", look: typeof DESKTOP | typeof PHONE = DESKTOP) {
    const opened = await site.open(path, { ...look, scheme: "light" });
    await opened.page.locator('input[value=":server"]').check();
    await opened.page.fill("#server-url", model.url);
    await opened.page.locator(".server button").click();
    await opened.page.locator(".loaded").waitFor({ state: "attached" });
    return opened;
  }

  async function ask(page: Page, text: string) {
    await page.fill("#message", text);
    await page.keyboard.press("Enter");
  }

  const answers = (page: Page) => page.locator(".turn.assistant:not([aria-busy]) .text").allInnerTexts();

  test("an answer streams, with its measures, and is told to those who listen", async () => {
    model.say({ pieces: ["Light ", "scatters. ", "Blue ", "most."] });
    const { page, complaints } = await connected();
    await ask(page, "Why is the sky blue?");
    await page.locator(".measures").waitFor();
    expect(await answers(page)).toEqual(["Light scatters. Blue most."]);
    expect(await page.locator(".measures").textContent()).toMatch(/4 tokens · first token after/);
    const spoken = await page.locator("#spoken p").allInnerTexts();
    expect(spoken).toEqual(["The model is writing.", "Light scatters.", "Blue most.", "Answer complete."]);
    expect(model.requests.at(-1)!.messages).toEqual([{ role: "user", content: "Why is the sky blue?" }]);
    expect(complaints).toEqual([]);
  });

  test("what a model writes is text, with a little Markdown: never HTML", async () => {
    model.say({
      pieces: ["<img src=x onerror=alert(1)> **bold** `code`\n\n- one\n- two\n\n```js\nlet a = '<b>';\n```"],
    });
    const { page } = await connected();
    await ask(page, "x");
    await page.locator(".measures").waitFor();
    const text = page.locator(".turn.assistant .text");
    expect(await text.locator("img, b").count()).toBe(0);
    expect(await text.locator("p").first().textContent()).toBe("<img src=x onerror=alert(1)> bold code");
    expect(await text.locator("li").allInnerTexts()).toEqual(["one", "two"]);
    expect(await text.locator("pre code").textContent()).toBe("let a = '<b>';");
  });

  test("stop keeps what came; edit and again ask anew", async () => {
    model.say({ pieces: Array.from({ length: 200 }, (_, i) => `word${i} `), pauseMs: 20 });
    const { page } = await connected();
    await ask(page, "first");
    await page.getByText("word3").waitFor();
    await page.click("#stop");
    await page.getByText("Stopped.", { exact: true }).first().waitFor();
    expect((await answers(page))[0]).toMatch(/^word0 word1 word2 word3/);
    model.say({ pieces: ["second answer"] });
    await page.getByRole("button", { name: "Again" }).click();
    await page.getByText("second answer").first().waitFor();
    expect(model.requests.at(-1)!.messages).toEqual([{ role: "user", content: "first" }]);
    model.say({ pieces: ["third answer"] });
    await page.getByRole("button", { name: "Edit" }).click();
    await page.locator(".edit-form textarea").fill("changed");
    await page.getByRole("button", { name: "Send again" }).click();
    await page.getByText("third answer").first().waitFor();
    expect(model.requests.at(-1)!.messages).toEqual([{ role: "user", content: "changed" }]);
    expect(await answers(page)).toEqual(["third answer"]);
  });

  test("settings go into the request, out of range they are brought back", async () => {
    model.say({ pieces: ["x"] });
    const { page } = await connected();
    await page.locator(".fold summary").first().click();
    await page.fill("#temperature", "0.4");
    await page.fill("#topP", "7");
    await page.fill("#maxTokens", "33");
    await page.fill("#seed", "42");
    await page.fill("#system", "Be brief.");
    await ask(page, "hi");
    await page.locator(".measures").waitFor();
    expect(await page.inputValue("#topP")).toBe("1");
    expect(model.requests.at(-1)).toMatchObject({ temperature: 0.4, top_p: 1, max_tokens: 33, seed: 42 });
    expect(model.requests.at(-1)!.messages[0]).toEqual({ role: "system", content: "Be brief." });
  });

  test("tokens are shown on demand, with their chances and alternatives", async () => {
    model.say({ pieces: ["Blue", " light"] });
    const { page } = await connected();
    await ask(page, "x");
    await page.getByRole("button", { name: "Tokens" }).click();
    const options = page.getByRole("option");
    expect(await options.allInnerTexts()).toEqual(["Blue", "·light"]);
    await page.getByRole("listbox").focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    expect(await page.locator(".token-detail p").first().textContent()).toContain("60%");
    expect(await page.locator(".token-detail li").count()).toBe(2);
  });

  test("what goes wrong is said in place, and can be tried again", async () => {
    model.say({ pieces: [], failure: { status: 429, message: "come again later" } });
    const { page, context } = await connected();
    await ask(page, "x");
    expect(await page.locator("#log .failure").textContent()).toMatch(/status 429: come again later/);
    model.say({ pieces: ["now it works"] });
    await page.locator("#log .failure button").click();
    await page.getByText("now it works").first().waitFor();
    expect(await page.locator("#log .failure").count()).toBe(0);
    await context.close();
    const other = await site.open("de/playground/", { ...PHONE, scheme: "dark" });
    await other.page.locator('input[value=":server"]').check();
    await other.page.fill("#server-url", "http://127.0.0.1:1/v1");
    await other.page.locator(".server button").click();
    expect(await other.page.locator("#choice .failure").textContent()).toContain("nicht zu erreichen");
  });

  test("a conversation is saved as JSON, Markdown, and code that makes it again", async () => {
    model.say({ pieces: ["An answer."] });
    const { page } = await connected();
    await ask(page, "A question");
    await page.locator(".measures").waitFor();
    await page.locator(".fold summary").nth(1).click();
    const saved = async (id: string) => {
      const [download] = await Promise.all([page.waitForEvent("download"), page.click(id)]);
      return { name: download.suggestedFilename(), text: readFileSync(await download.path(), "utf8") };
    };
    const json = await saved("#export-json");
    expect(JSON.parse(json.text).turns.map((turn: { role: string; text: string }) => [turn.role, turn.text])).toEqual([
      ["user", "A question"],
      ["assistant", "An answer."],
    ]);
    expect((await saved("#export-markdown")).text).toBe("## You\n\nA question\n\n## Model (scripted)\n\nAn answer.\n");
    const code = await saved("#export-code");
    expect(code.name).toBe("conversation.mjs");
    expect(code.text).toContain(JSON.stringify(`${model.url}/chat/completions`));
    expect(code.text).toContain(`"seed": ${model.requests.at(-1)!.seed}`);
    expect(code.text).not.toContain("An answer.");
  });

  test("the conversation stays through a change of language, and a new one is empty", async () => {
    model.say({ pieces: ["kept"] });
    const { page } = await connected();
    await ask(page, "stay");
    await page.locator(".measures").waitFor();
    await page.click("#other-language");
    await page.waitForURL(/\/de\/playground\/$/);
    expect(await answers(page)).toEqual(["kept"]);
    await page.locator(".fold summary").nth(1).click();
    await page.click("#clear");
    expect(await page.locator(".turn").count()).toBe(0);
  });

  test("a GGUF file computes in the page: its plan first, then answers with ids, chances and a stop", async () => {
    const { page, complaints } = await site.open("en/playground/", { ...DESKTOP, scheme: "light" });
    await page.locator('input[value=":file"]').check();
    await page.setInputFiles("#choice input[type=file]", TINY.gemma3);
    await page.locator("#load").waitFor();
    expect(await page.locator(".facts").textContent()).toMatch(/Downloadnothing.*Memory to run[\d.]+ [kM]B/);
    expect(await page.locator("#backend option").allInnerTexts()).toContain("reference: exact, and very slow");
    await page.click("#load");
    await page.locator(".loaded").waitFor();
    expect(await page.locator(".loaded").textContent()).toMatch(/Runs onwasm, .*\d threads?/);
    await page.locator(".fold summary").first().click();
    await page.fill("#maxTokens", "6");
    await page.fill("#seed", "1");
    await ask(page, "ab");
    await page.locator(".measures").waitFor();
    await page.getByRole("button", { name: "Tokens" }).click();
    expect(await page.getByRole("option").count()).toBeGreaterThan(0);
    await page.getByRole("option").first().click();
    expect(await page.locator(".token-detail p").first().textContent()).toMatch(/id \d+ · chance [\d.]+%/);
    expect(await page.locator(".token-detail li").count()).toBe(5);
    expect(complaints).toEqual([]);
    await page.getByRole("button", { name: "Change the model" }).click();
    await page.locator("#choice").waitFor();
    expect(await page.locator("#send").isDisabled()).toBe(true);
  });

  test("a file that is no model is told at once, dropped or chosen", async () => {
    const { page } = await site.open("en/playground/", { ...DESKTOP, scheme: "light" });
    const notes = { name: "notes.gguf", mimeType: "text/plain", buffer: Buffer.from("just some notes") };
    await page.locator('input[value=":file"]').check();
    await page.setInputFiles("#choice input[type=file]", notes);
    expect(await page.locator("#choice .failure").textContent()).toContain("notes.gguf: This is not a GGUF file");
    const data = await page.evaluateHandle(() => {
      const transfer = new DataTransfer();
      transfer.items.add(new File(["x"], "dropped.gguf"));
      return transfer;
    });
    await page.dispatchEvent("body", "dragenter", { dataTransfer: data });
    expect(await page.locator("#drop").isVisible()).toBe(true);
    await page.dispatchEvent("body", "drop", { dataTransfer: data });
    await page.getByText("dropped.gguf: This is not a GGUF file").waitFor();
    expect(await page.locator("#drop").isVisible()).toBe(false);
  });

  test("long conversations: the end stays in sight, a reader further up is left alone, and input is answered at once", async () => {
    model.say({ pieces: Array.from({ length: 1500 }, (_, i) => (i % 40 === 39 ? "\n\n" : `word${i} `)), pauseMs: 1 });
    const { page } = await connected("en/playground/", PHONE);
    await ask(page, "long");
    await page.getByText("word400 ").first().waitFor({ state: "attached" });
    const gap = () => page.evaluate(() => document.documentElement.scrollHeight - scrollY - innerHeight);
    expect(await gap()).toBeLessThan(80);
    // How long an event waits: what is between when it was due and when it is handled, at most, one in thirty aside.
    const waits = await page.evaluate(
      () =>
        new Promise<number[]>((done) => {
          const waits: number[] = [];
          let due = performance.now();
          let left = 60;
          const tick = () => {
            waits.push(performance.now() - due);
            due = performance.now() + 10;
            if (left-- === 0) done(waits.sort((a, b) => a - b));
            else setTimeout(tick, 10);
          };
          tick();
        }),
    );
    expect(waits.at(-3)).toBeLessThan(50);
    await page.evaluate(() => scrollTo({ top: 0, behavior: "instant" }));
    await page.locator("#to-end").waitFor();
    await page.locator(".measures").waitFor({ state: "attached" });
    expect(await page.evaluate(() => scrollY)).toBe(0);
    await page.click("#to-end");
    expect(await gap()).toBeLessThan(80);
  });
});
