/**
 * A module of Node's own where the runtime is Node, Deno or Bun; else undefined. Not an import, which bundlers for the
 * browser would look for.
 */
export function nodeModule<Module>(name: string): Module | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?(name: string): unknown } };
  return process?.getBuiltinModule?.(name) as Module | undefined;
}
