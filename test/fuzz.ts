import { expect, it } from "vitest";
import { GemmaError } from "../src/base/errors.js";
import fc from "./fast-check.js";

// GEMMA_FUZZ_MS=30000 fuzzes each target for 30 s from a new seed; GEMMA_FUZZ_SEED repeats one.
const durationMs = Number(process.env.GEMMA_FUZZ_MS ?? 0);
const seed = Number(process.env.GEMMA_FUZZ_SEED ?? (durationMs > 0 ? Date.now() % 2 ** 31 : 1));
const MAX_PARSE_MS = 1000;

/** One change of a valid file: a value of some width written somewhere, a range cut out or doubled, or the end cut off. */
interface Mutation {
  readonly kind: "write" | "cut" | "double" | "truncate";
  /** Place, 0 to 1; near 0 is likelier, since headers are in front. */
  readonly place: number;
  readonly value: bigint;
  readonly width: number;
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom("write", "write", "write", "cut", "double", "truncate"),
  place: fc.double({ min: 0, max: 1, noNaN: true }).map((x) => x ** 3),
  value: fc.oneof(
    fc.bigInt({ min: 0n, max: 255n }),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    fc.constantFrom(2n ** 31n, 2n ** 32n - 1n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n),
  ),
  width: fc.constantFrom(1, 2, 4, 8),
});

function mutated(bytes: Uint8Array, { kind, place, value, width }: Mutation): Uint8Array {
  const at = Math.floor(place * bytes.length);
  if (kind === "truncate") return bytes.slice(0, at);
  if (kind === "cut") return new Uint8Array([...bytes.subarray(0, at), ...bytes.subarray(at + width)]);
  if (kind === "double") return new Uint8Array([...bytes.subarray(0, at + width), ...bytes.subarray(at)]);
  const copy = new Uint8Array(bytes);
  for (let i = 0; i < width && at + i < copy.length; i++) copy[at + i] = Number((value >> BigInt(8 * i)) & 255n);
  return copy;
}

/**
 * Declares a test: `parse` answers any bytes, and any mutation of the valid `seeds`, with a result or a GemmaError,
 * within a second.
 */
export function itSurvives(name: string, seeds: readonly Uint8Array[], parse: (bytes: Uint8Array) => unknown): void {
  const input = fc.oneof(
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
    {
      weight: 9,
      arbitrary: fc
        .tuple(fc.constantFrom(...seeds), fc.array(mutation, { minLength: 1, maxLength: 4 }))
        .map(([bytes, mutations]) => mutations.reduce(mutated, bytes)),
    },
  );
  const runs = durationMs > 0 ? { numRuns: 2 ** 31, interruptAfterTimeLimit: durationMs } : { numRuns: 300 };
  it(`${name} survives arbitrary bytes (seed ${seed})`, { timeout: durationMs + 30_000 }, () => {
    for (const bytes of seeds) parse(bytes); // a seed that is refused at its first byte would test nothing
    fc.assert(
      fc.property(input, (bytes) => {
        const start = performance.now();
        try {
          parse(bytes);
        } catch (error) {
          if (!(error instanceof GemmaError)) throw error;
        }
        expect(performance.now() - start).toBeLessThan(MAX_PARSE_MS);
      }),
      { ...runs, seed },
    );
  });
}
