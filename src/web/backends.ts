import type { Backend, BackendFactory, BackendName, BackendOptions } from "../backend/backend.js";
import { checked } from "../backend/checked.js";
import { GemmaError } from "../base/errors.js";
import { ON_REQUEST, referenceBackend, wasmBackend, webgpuBackend } from "../runtime/lazy-backends.js";

/** Every backend of pages. */
export const WEB_BACKENDS: readonly BackendFactory[] = [wasmBackend, webgpuBackend, referenceBackend];

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
