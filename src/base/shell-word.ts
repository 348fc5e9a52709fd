/** A path as a command in a hint has it: in quotes where a shell would not take it as one word. */
export function shellWord(path: string): string {
  return /^[\w%+,./:=@-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
