import type { Backend, BackendFactory, BackendName, BackendOptions } from "../backend/backend.js";
import { checked } from "../backend/checked.js";
import { GemmaError } from "../base/errors.js";

// Not at the top: a page should load none that it does not run.
const wasmBackend: BackendFactory = {
  name: "wasm",
  available: async () => (await import("../backends/wasm/index.js")).wasmBackend.available(),
  create: async (options) => (await import("../backends/wasm/index.js")).wasmBackend.create(options),
};
const webgpuBackend: BackendFactory = {
  name: "webgpu",
  available: async () => (await import("../backends/webgpu/index.js")).webgpuBackend.available(),
  create: async (options) => (await import("../backends/webgpu/index.js")).webgpuBackend.create(options),
};
const referenceBackend: BackendFactory = {
  name: "reference",
  available: async () => true,
  create: async (options) => (await import("../backends/reference/index.js")).referenceBackend.create(options),
};

/** Every backend of pages. */
export const WEB_BACKENDS: readonly BackendFactory[] = [wasmBackend, webgpuBackend, referenceBackend];

/** The reference is exact and slow, and WebGPU has run on a GPU in software alone so far: never chosen unasked. */
const ON_REQUEST: readonly BackendName[] = ["webgpu", "reference"];

/**
 * Creates the backend asked for, or the first that runs here; `note` is told which, where another came before it.
 * @throws ERR_BACKEND_UNAVAILABLE with each one's reason
 */
export async function chooseWebBackend(
  name: BackendName | undefined,
  options: BackendOptions,
  note: (line: string) => void,
  backends: readonly BackendFactory[] = WEB_BACKENDS,
): Promise<Backend> {
  const wanted = backends.filter((one) => (name === undefined ? !ON_REQUEST.includes(one.name) : one.name === name));
  if (name !== undefined && wanted.length === 0) {
    const known = backends.map((one) => one.name).join(", ");
    throw new GemmaError("ERR_USAGE", `backend: must be one of ${known} in a page, got ${name}`);
  }
  const reasons: string[] = [];
  for (const factory of wanted) {
    const reason = await factory.available();
    if (reason === true) {
      if (reasons.length > 0) note(`backend: ${factory.name} (${reasons.join("; ")})`);
      return checked(await factory.create(options));
    }
    reasons.push(`${factory.name} cannot run here: ${reason}`);
  }
  throw new GemmaError("ERR_BACKEND_UNAVAILABLE", `backend: one must run here, got ${reasons.join("; ") || "none"}`, {
    hint: 'update the browser, or choose backend "reference" (exact, and very slow)',
  });
}
