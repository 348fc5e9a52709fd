import { describe, expect, test } from "vitest";
import fc from "../../../test/fast-check.js";
import { sameMathAnswer } from "./same-math-answer.js";

const EQUAL: readonly (readonly [string, string])[] = [
  // numbers
  ["0.5", "\\frac{1}{2}"],
  ["\\dfrac{3}{4}", "\\tfrac34"],
  ["3/4", "\\frac34"],
  ["-\\frac{2}{3}", "\\frac{-2}{3}"],
  ["\\frac{-2}{3}", "-2/3"],
  ["6/8", "0.75"],
  [".25", "0.25"],
  ["1,234,567", "1234567"],
  ["12{,}345", "12345"],
  ["10,\\!080", "10080"],
  ["3\\frac{1}{8}", "\\frac{25}{8}"],
  ["3 1/8", "3.125"],
  ["-2\\frac12", "-2.5"],
  ["0.\\overline{3}", "\\frac13"],
  ["0.1\\overline{6}", "\\frac16"],
  ["2^{10}", "1024"],
  ["2^{2005}", "2 \\cdot 2^{2004}"],
  ["5!", "120"],
  ["\\frac{1}{2004!}", "\\frac{2005}{2005!}"],
  ["\\binom{5}{2}", "10"],
  ["6.7\\times10^{-3}", "0.0067"],
  ["2 \\times 3", "6"],
  // roots, pi, complex
  ["\\sqrt{12}", "2\\sqrt{3}"],
  ["\\frac{1}{\\sqrt{3}}", "\\frac{\\sqrt{3}}{3}"],
  ["\\sqrt2", "\\sqrt{2}"],
  ["\\sqrt[3]{8}", "2"],
  ["8^{1/3}", "2"],
  ["\\frac{\\sqrt{5}-1}{2}", "-\\frac{1}{2}+\\frac{1}{2}\\sqrt{5}"],
  ["\\frac{2}{\\sqrt{5}+1}", "\\frac{\\sqrt5-1}{2}"],
  ["\\frac{3\\pi}{4}", "\\frac34\\pi"],
  ["0.75π", "\\frac{3\\pi}{4}"],
  ["√2/2", "\\frac{\\sqrt{2}}{2}"],
  ["sqrt(2)/2", "\\frac{\\sqrt{2}}{2}"],
  ["3i+2", "2 + 3i"],
  ["i^2", "-1"],
  ["\\frac{1+3i}{5}", "\\frac{1}{5} + \\frac{3}{5}i"],
  ["|-7|", "7"],
  ["\\log_2 8", "3"],
  ["\\ln e", "1"],
  ["\\sin 30^\\circ", "\\frac12"],
  ["\\cos 13^\\circ", "\\sin 77^\\circ"],
  ["\\sin^2 x + \\cos^2 x", "1"],
  // formulas
  ["(x+5)^2", "x^2 + 10x + 25"],
  ["4(3-x)(3+x)", "36-4x^2"],
  ["\\frac{11x+5}{x-2}", "\\frac{-11x-5}{2-x}"],
  ["1/y + y", "\\frac{1+y^2}{y}"],
  ["x\\cdot x", "x^{2}"],
  ["x^{-1}", "\\frac{1}{x}"],
  ["36x\\sqrt{35x}", "36\\sqrt{35}x^{3/2}"],
  ["3 - 2f(x)", "-2f(x)+3"],
  ["2 \\tan x", "2\\frac{\\sin x}{\\cos x}"],
  ["\\overline{CD}", "\\overline{CD}"],
  ["x_1 + x_2", "x_{2} + x_{1}"],
  // units, currency, percent, degrees
  ["12 \\text{ cm}^2", "12"],
  ["12 cm^2", "12"],
  ["18 ways", "18\\text{ ways.}"],
  ["5 square inches", "5"],
  ["\\$32,\\!348", "32348"],
  ["$36", "\\$36"],
  ["20\\%", "20"],
  ["20\\%", "0.2"],
  ["20 percent", "20\\%"],
  ["45^\\circ", "45"],
  ["45^{\\circ}", "45 degrees"],
  ["-5^\\circ", "-5"],
  // names and wrappings
  ["x = 5", "5"],
  ["$x=5$", "5"],
  ["f(x) = 2x+1", "1 + 2x"],
  ["2 + 3 = 5", "5"],
  ["x = 2 + 3 = 5", "x = 5"],
  ["\\boxed{7}", "7"],
  ["$\\boxed{\\frac12}$.", "0.5"],
  ["\\(7\\)", "7"],
  ["\\text{13}", "13"],
  ["\\left(\\frac34,5\\right)", "(0.75, 5)"],
  ["(x, y) = (1, 2)", "(1,2)"],
  // equations and inequalities
  ["y = 2x", "2x = y"],
  ["y = 2x", "4x - 2y = 0"],
  ["20x + 23y + 26z - 69 = 0", "20x+23y+26z=69"],
  ["x > 3", "3 < x"],
  ["x > 3", "(3, \\infty)"],
  ["-1 < x \\leq 2", "(-1, 2]"],
  ["x \\in [0, 1)", "[0,1)"],
  // several
  ["1, 2, 3", "3,1,2"],
  ["\\{1, 2\\}", "2, 1"],
  ["1 \\text{ and } 2", "2,1"],
  ["7, -2, \\text{ and } -5", "-5, -2, 7"],
  ["x=1 or x=2", "1,2"],
  ["1 \\pm \\sqrt{19}", "1-\\sqrt{19}, 1+\\sqrt{19}"],
  ["(-\\infty, 2) \\cup (3, \\infty)", "(3,\\infty)\\cup(-\\infty,2)"],
  ["\\{-1\\} \\cup [0,7)", "[0,7) \\cup \\{-1\\}"],
  ["\\begin{pmatrix} 1/2 \\\\ -3 \\end{pmatrix}", "\\begin{bmatrix}0.5\\\\-3\\\\\\end{bmatrix}"],
  ["\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}", "\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}"],
  ["3:1", "3 : 1"],
  // numerals in a base, words
  ["25_6", "25_{6}"],
  ["-221_3", "-221_{3}"],
  ["152A_{11}", "152A_{11}"],
  ["\\text{(B)}", "B"],
  ["(B)", "\\textbf{(B)}"],
  ["\\text{A,D}", "D, A"],
  ["Evelyn", "\\text{Evelyn}"],
  ["Even", "\\text{even}"],
  ["\\mbox{Saturday}", "Saturday."],
  ["4:30 p.m.", "\\text{4:30 p.m.}"],
];

const UNEQUAL: readonly (readonly [string, string])[] = [
  ["", "1"],
  ["1", "2"],
  ["0.33", "\\frac13"],
  ["0.3333333333", "\\frac13"],
  ["3.14", "\\pi"],
  ["1.414", "\\sqrt{2}"],
  ["123456789012345678901", "123456789012345678902"],
  ["2^{2005}", "2^{2006}"],
  ["2^{2005}", "14\\pi"],
  ["3^{2007}\\sqrt{2}", "3^{2006}\\sqrt{2}"],
  ["3\\frac18", "\\frac38"],
  ["-5", "5"],
  ["2\\sqrt{3}", "3\\sqrt{2}"],
  ["x+1", "x-1"],
  ["2x", "2y"],
  ["|x|", "x"],
  ["x^2", "x^3"],
  ["3+4i", "3-4i"],
  ["1,2", "12"],
  ["4,6,14,15", "461415"],
  ["1,2", "1,2,2"],
  ["1,1,2", "1,2,2"],
  ["(1,2)", "(2,1)"],
  ["(1,200)", "1200"],
  ["[1,2]", "(1,2)"],
  ["(1,2]", "[1,2)"],
  ["(1,2,3)", "(1,2)"],
  ["(-\\infty,2)", "(-\\infty,2]"],
  ["(0,1)\\cup(1,2)", "(0,2)"],
  ["x > 3", "x \\ge 3"],
  ["x > 3", "x < 3"],
  ["0", "10x - 4y - 5z - 20 = 0"],
  ["x = 2y", "y = 2x"],
  ["x^2 = 4", "x = 2"],
  ["y = -\\frac14", "x = -\\frac14"],
  ["\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}", "\\begin{pmatrix} 2 \\\\ 1 \\end{pmatrix}"],
  ["\\begin{pmatrix} 1 & 2 \\end{pmatrix}", "\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}"],
  ["25_6", "25_7"],
  ["-221_3", "221_3"],
  ["25_6", "25"],
  ["3:1", "1:3"],
  ["20\\%", "2"],
  ["45^\\circ", "54"],
  ["\\cos 13", "\\cos 13^\\circ"],
  ["A", "B"],
  ["\\text{Evelyn}", "\\text{Dana}"],
  ["\\text{odd}", "\\text{even}"],
  ["\\frac{1}{0}", "1"],
  ["\\infty", "-\\infty"],
  ["x^2+", "x^2"],
];

test.each(EQUAL)("%j is %j", (a, b) => {
  expect(sameMathAnswer(a, b)).toBe(true);
  expect(sameMathAnswer(b, a)).toBe(true);
});

test.each(UNEQUAL)("%j is not %j", (a, b) => {
  expect(sameMathAnswer(a, b)).toBe(false);
  expect(sameMathAnswer(b, a)).toBe(false);
});

describe("properties", () => {
  const formula = fc.letrec<{ formula: string }>((tie) => ({
    formula: fc.oneof(
      { maxDepth: 3 },
      fc.integer({ min: 1, max: 9 }).map(String),
      fc.constantFrom("x", "y", "\\pi", "a"),
      fc.tuple(tie("formula"), tie("formula")).map(([a, b]) => `(${a} + ${b})`),
      fc.tuple(tie("formula"), tie("formula")).map(([a, b]) => `${a} \\cdot ${b}`),
      fc.tuple(tie("formula"), tie("formula")).map(([a, b]) => `\\frac{${a}}{${b}}`),
      tie("formula").map((a) => `\\sqrt{${a}}`),
    ),
  })).formula;

  test("a formula equals itself after changes of its look, and not itself plus one", () => {
    fc.assert(
      fc.property(formula, (text) => {
        const noisy = `$\\boxed{${text.replaceAll("\\frac", "\\dfrac").replaceAll("(", "\\left( ").replaceAll(")", " \\right)")}}$.`;
        expect(sameMathAnswer(noisy, text)).toBe(true);
        expect(sameMathAnswer(`1 + ${text}`, `${text} + 1`)).toBe(true);
        expect(sameMathAnswer(`${text} + 1`, text)).toBe(false);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  test("any text equals itself, and no text throws", () => {
    const piece = fc.constantFrom(
      ..."()[]{}|^_!%,;:=<>&+-*/\\. 01x",
      "\\frac",
      "\\text{",
      "\\begin{pmatrix}",
      "\\cup",
      "\\pm",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), fc.array(piece, { maxLength: 30 }), (a, b) => {
        expect(sameMathAnswer(a.join(""), a.join(""))).toBe(true);
        expect(sameMathAnswer(a.join(""), b.join(""))).toBe(sameMathAnswer(b.join(""), a.join("")));
      }),
      { seed: 1, numRuns: 2000 },
    );
  });
});

describe("hostile answers take no time", () => {
  const repeat = (piece: string, size = 1000): string => piece.repeat(Math.floor(size / piece.length));
  test.each(
    Object.entries({
      long: repeat("(", 100_000),
      "long formula": repeat("x+", 100_000),
      brackets: repeat("("),
      "closed brackets": `${"(".repeat(499)}1${")".repeat(499)}`,
      sets: `${"\\{".repeat(240)}1${"\\}".repeat(240)}`,
      "square roots": repeat("\\sqrt "),
      powers: "9^".repeat(499),
      "tower of powers": "9^{9^{9^{9^{9}}}}",
      factorials: repeat("2004!"),
      binomials: repeat("\\binom{2000}{1000}"),
      "repeated factorial": `9${"!".repeat(900)}`,
      products: repeat("99999999"),
      "sum of fractions": repeat("1/7+").slice(0, -1),
      "a list": repeat("1,").slice(0, -1),
      "a list of formulas": repeat("x^9+y,").slice(0, -1),
      signs: `${"-".repeat(900)}1`,
      "plus and minus": `${repeat("\\pm1,")}1`,
      fractions: repeat("\\frac"),
      texts: repeat("\\text{a}"),
      dollars: repeat("$"),
      unions: repeat("\\cup"),
      matrix: `\\begin{pmatrix}${repeat("1&", 900)}1\\end{pmatrix}`,
    }),
  )("%s", (_, text) => {
    // The best of a few: what the machine does besides is not what is measured.
    const times = Array.from({ length: 5 }, () => {
      const start = performance.now();
      sameMathAnswer(text, `${text}+1`);
      return performance.now() - start;
    });
    expect(Math.min(...times)).toBeLessThan(10);
  });
});
