import type { Backend, BackendFactory, BackendName, BackendOptions } from "../backend/backend.js";
import { checked } from "../backend/checked.js";
import { nativeBackend } from "../backends/native/index.js";
import { GemmaError } from "../base/errors.js";
import { ON_REQUEST, referenceBackend, wasmBackend, webgpuBackend } from "./lazy-backends.js";

/** Every backend. By default the native one runs, or the wasm one: the others only where they are asked for. */
export const BACKENDS: readonly BackendFactory[] = [nativeBackend, wasmBackend, webgpuBackend, referenceBackend];

const HINTS: Readonly<Record<BackendName, string>> = {
  native:
    "in a clone, install a C++ compiler (g++ or clang++) and run `npm run setup`; or choose --backend reference (slow)",
  wasm: "choose --backend native, or --backend reference (slow)",
  webgpu: "choose --backend native or wasm, which need no GPU",
  reference: "choose --backend native",
};

/**
 * Creates the backend asked for. Without a name the native one, or, where that cannot run, the wasm one: then a line to
 * `note` says so. Never falls back silently. @throws ERR_BACKEND_UNAVAILABLE
 */
export async function chooseBackend(
  name: BackendName | undefined,
  options: BackendOptions,
  note: (line: string) => void,
): Promise<Backend> {
  const candidates = BACKENDS.filter((b) => (name === undefined ? !ON_REQUEST.includes(b.name) : b.name === name));
  if (candidates.length === 0) {
    const known = BACKENDS.map((b) => b.name).join(", ");
    throw new GemmaError("ERR_USAGE", `backend: must be one of ${known}, got ${name}`);
  }
  const reasons: string[] = [];
  for (const factory of candidates) {
    const reason = await factory.available();
    if (reason === true) {
      if (reasons.length > 0) note(`the wasm backend runs, for ${reasons.join("; ")}`);
      return checked(await factory.create(options));
    }
    reasons.push(`${factory.name} cannot run here: ${reason}`);
  }
  throw new GemmaError("ERR_BACKEND_UNAVAILABLE", `backend: ${reasons.join("; ")}`, {
    hint: HINTS[name ?? "native"],
  });
}
