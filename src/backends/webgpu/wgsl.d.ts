/** The text of the .wgsl file beside it: the build writes such a module for each (scripts/lib/wgsl.mjs). */
declare module "*.wgsl.js" {
  const text: string;
  export default text;
}
