import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { type ErrorCode, GemmaError } from "../src/base/errors.js";

/** A malformed input of test/fixtures/bad, and the error that a good reader answers with. */
export interface BadCase {
  readonly id: string;
  /** Relative to test/fixtures/bad. */
  readonly path: string;
  readonly expect: "accept" | "reject";
  readonly error: string | null;
  readonly also_ok?: readonly string[];
  readonly what: string;
}

const folder = new URL("fixtures/bad/", import.meta.url);

/** The cases of test/fixtures/bad/`format`/manifest.json. */
export function badCases(format: string): readonly BadCase[] {
  const manifest = JSON.parse(readFileSync(new URL(`${format}/manifest.json`, folder), "utf8"));
  return manifest.cases;
}

export function badCaseBytes(badCase: BadCase): Uint8Array {
  return readFileSync(new URL(badCase.path, folder));
}

/** Runs `read` on the case: it must accept, or reject with a code that the manifest allows, within a second. */
export function expectCase(badCase: BadCase, read: () => unknown): void {
  const start = performance.now();
  let code: ErrorCode | "accept" = "accept";
  try {
    read();
  } catch (error) {
    if (!(error instanceof GemmaError)) throw error;
    code = error.code;
  }
  const allowed = badCase.expect === "accept" ? ["accept"] : [badCase.error, ...(badCase.also_ok ?? [])];
  expect(allowed.map((kind) => (kind === "accept" ? kind : errorCode(kind)))).toContain(code);
  expect(performance.now() - start).toBeLessThan(1000);
}

/** "shape-mismatch" of the manifest is ERR_SHAPE_MISMATCH here. */
function errorCode(kind: string | null): string {
  return `ERR_${String(kind).toUpperCase().replaceAll("-", "_")}`;
}
