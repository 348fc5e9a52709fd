import type { Backend, BackendFactory, BackendName, BackendOptions } from "../backend/backend.js";
import { checked } from "../backend/checked.js";
import { nativeBackend } from "../backends/native/index.js";
import { GemmaError } from "../base/errors.js";

const referenceBackend: BackendFactory = {
  name: "reference",
  available: async () => true,
  // Not at the top: its two dozen files would make every load slower, and few want it.
  create: async (options) => (await import("../backends/reference/index.js")).referenceBackend.create(options),
};

/** Every backend, the fastest first. The reference is exact and slow: it is never chosen by default. */
export const BACKENDS: readonly BackendFactory[] = [nativeBackend, referenceBackend];

/** Creates the backend asked for, or the native one. Never falls back silently. @throws ERR_BACKEND_UNAVAILABLE */
export async function chooseBackend(name: BackendName | undefined, options: BackendOptions): Promise<Backend> {
  const factory = BACKENDS.find((b) => b.name === (name ?? "native"));
  if (!factory) {
    const known = BACKENDS.map((b) => b.name).join(", ");
    throw new GemmaError("ERR_USAGE", `backend: must be one of ${known}, got ${name}`);
  }
  const reason = await factory.available();
  if (reason === true) return checked(await factory.create(options));
  throw new GemmaError("ERR_BACKEND_UNAVAILABLE", `backend: ${factory.name} cannot run here: ${reason}`, {
    hint: "in a clone, install a C++ compiler (g++ or clang++) and run `npm run setup`; or choose --backend reference (slow)",
  });
}
