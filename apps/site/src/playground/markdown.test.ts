import { expect, test } from "vitest";
import { toHtml } from "../dom/html.js";
import { blockNode, blocksOf } from "./markdown.js";

const html = (text: string) =>
  blocksOf(text)
    .map((block) => toHtml(blockNode(block)))
    .join("");

test("paragraphs, lists, headings and code", () => {
  expect(html("One\ntwo\n\nthree")).toBe("<p>One<br>two</p><p>three</p>");
  expect(html("- a\n- **b**")).toBe("<ul><li>a</li><li><strong>b</strong></li></ul>");
  expect(html("3. c\n4. d")).toBe('<ol start="3"><li>c</li><li>d</li></ol>');
  expect(html("## Title")).toBe('<p class="heading">Title</p>');
  expect(html("a `b*c*` *d* 2*3*4")).toBe("<p>a <code>b*c*</code> <em>d</em> 2*3*4</p>");
});

test("blank lines within a fence belong to it, also while its end has not come", () => {
  expect(blocksOf("```js\na\n\nb\n```\n\nend")).toEqual(["```js\na\n\nb\n```", "end"]);
  expect(html("```\na\n\nb")).toBe('<pre tabindex="0"><code>a\n\nb</code></pre>');
});

test("HTML is text", () => {
  expect(html('<script src="x">')).toBe("<p>&#60;script src=&#34;x&#34;&#62;</p>");
});

test("while a text grows, blocks that were complete stay as they are", () => {
  const text = "# A\n\nfirst\n\n- x\n- y\n\n```\ncode\n\nmore\n```\n\nlast";
  for (let length = 1; length < text.length; length++) {
    const now = blocksOf(text.slice(0, length));
    const later = blocksOf(text);
    expect(later.slice(0, now.length - 1)).toEqual(now.slice(0, -1));
  }
});
