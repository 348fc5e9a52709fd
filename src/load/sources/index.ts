import type { Spec } from "../spec.js";
import { fetchHf } from "./hf.js";
import { fetchHttps } from "./https.js";
import { fetchKaggle } from "./kaggle.js";
import { fetchPip } from "./pip.js";
import type { Expectation, Fetched, SourceContext } from "./source.js";

/** Brings the files of `spec` into the staging folder, each complete and checked. */
export function fetchSource(spec: Spec, expected: Expectation, context: SourceContext): Promise<Fetched> {
  switch (spec.kind) {
    case "hf":
      return fetchHf(spec, expected, context);
    case "kaggle":
      return fetchKaggle(spec, context);
    case "https":
      return fetchHttps(spec, expected, context);
    case "pip":
      return fetchPip(spec, expected, context);
    default:
      return spec satisfies never;
  }
}
