import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import fc from "../../test/fast-check.js";
import { itSurvives } from "../../test/fuzz.js";
import { GemmaError } from "../base/errors.js";
import { bytesSource } from "../format/byte-source.js";
import { parseGguf } from "../format/gguf.js";
import { parseSafetensors } from "../format/safetensors.js";
import { parsePeftAdapter } from "./adapter-peft.js";
import { parseAdapterConfig } from "./adapter-peft-config.js";
import { parseGgufConfig } from "./config-gguf.js";
import { parseHfConfig } from "./config-hf.js";
import { matchTensors } from "./match.js";
import { expectedTensors } from "./tensors.js";

const read = (path: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../test/fixtures/${path}`, import.meta.url)));

const hfConfigs = ["gemma1-mqa/config", "gemma3-scaled/config.v5", "gemma3-mm/config"].map((name) =>
  read(`tiny/${name}.json`),
);
const adapterConfig = read("bad/adapter/control/adapter/adapter_config.json");
const adapterTensors = read("bad/adapter/control/adapter/adapter_model.safetensors");
const adapterBase = parseHfConfig(read("bad/adapter/control/base/config.json")).config;

describe("fuzz", () => {
  itSurvives("parseHfConfig", hfConfigs, (bytes) => expectedTensors(parseHfConfig(bytes).config, "hf"));
  itSurvives("parseAdapterConfig", [adapterConfig], (bytes) => parseAdapterConfig(bytes, "fuzz"));
  itSurvives("parsePeftAdapter", [adapterTensors], (bytes) =>
    parsePeftAdapter(adapterConfig, parseSafetensors(bytesSource("fuzz", bytes)).tensors, adapterBase, "fuzz"),
  );
  itSurvives("a whole GGUF model", [read("bad/gguf/control-model.gguf")], (bytes) => {
    const { metadata, tensors } = parseGguf(bytesSource("fuzz", bytes));
    matchTensors(parseGgufConfig(metadata, "fuzz"), tensors, { naming: "gguf", where: "fuzz" });
  });
});

test("any JSON value under any key gives a configuration or a GemmaError (seed 1)", () => {
  const seeds = hfConfigs.map((bytes) => JSON.parse(Buffer.from(bytes).toString()));
  const keys = [
    ...new Set(seeds.flatMap((config) => [...Object.keys(config), ...Object.keys(config.text_config ?? {})])),
  ];
  const value = fc.oneof(fc.jsonValue(), fc.integer(), fc.double(), fc.constantFrom(0, -1, 1, 2 ** 31, 2 ** 53, 1e300));
  const changes = fc.array(fc.tuple(fc.constantFrom(...keys), value), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(fc.constantFrom(...seeds), changes, fc.boolean(), (seed, changed, inside) => {
      const overrides = Object.fromEntries(changed);
      const config =
        inside && seed.text_config
          ? { ...seed, text_config: { ...seed.text_config, ...overrides } }
          : { ...seed, ...overrides };
      try {
        const { config: parsed } = parseHfConfig(JSON.stringify(config));
        for (const { shape } of expectedTensors(parsed, "hf")) {
          for (const size of shape) expect(Number.isSafeInteger(size) && size > 0).toBe(true);
        }
      } catch (error) {
        if (!(error instanceof GemmaError)) throw error;
      }
    }),
    { seed: 1, numRuns: 1000 },
  );
});
