/** What this backend uses of Node's own modules. */
interface NodeModules {
  readonly "node:fs": { existsSync(path: string): boolean; readFileSync(path: string): Uint8Array<ArrayBuffer> };
  readonly "node:os": { availableParallelism?(): number };
  readonly "node:process": { readonly versions: { readonly node?: string; readonly v8?: string } };
  readonly "node:url": { fileURLToPath(url: URL): string };
  readonly "node:v8": { setFlagsFromString(flag: string): void };
  readonly "node:worker_threads": { readonly Worker: new (code: string, options: object) => NodeWorker };
}

export interface NodeWorker {
  once(event: "message", listener: () => void): void;
  on(event: "error", listener: (error: Error) => void): void;
  unref(): void;
  terminate(): Promise<number>;
}

/**
 * A module of Node's own where the runtime is Node, Deno or Bun; else undefined. Not an import, which bundlers for the
 * browser would look for.
 */
export function nodeModule<Name extends keyof NodeModules>(name: Name): NodeModules[Name] | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?(name: string): unknown } };
  return process?.getBuiltinModule?.(name) as NodeModules[Name] | undefined;
}
