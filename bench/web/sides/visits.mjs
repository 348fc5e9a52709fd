// Visits to this page, one after another: load, write if that is asked for, and tell the server the figures.
const SENTENCE = "The history of the lighthouse begins in antiquity, when fires on hills guided ships into harbours.";
const LONG = Array.from({ length: 24 }, (_, i) => `${i + 1}. ${SENTENCE}`).join("\n");
/** Until the browser has started, and has taken back the memory of the last visit. */
const REST_MS = 4000;

const [{ name, decode, ...settings }, ...later] = JSON.parse(new URL(location.href).searchParams.get("visits"));

async function visit() {
  const begin = performance.now();
  const side = await import(`/sides/${name}.mjs`);
  const what = await side.load(settings);
  const loadMs = performance.now() - begin;
  if (decode === 0) return { what, loadMs };
  await side.write(SENTENCE, 32); // warms up: kernels are compiled better while they run
  const short = await side.write(`A story. ${SENTENCE}`, decode);
  return { what, loadMs, short, long: await side.write(`Chapter one. ${LONG}`, 2) };
}

const tell = (what) => fetch("/told", { method: "POST", body: JSON.stringify(what) });

await new Promise((resolve) => setTimeout(resolve, REST_MS));
await tell({ begins: name });
await tell(await visit().catch((error) => ({ error: `${name}: ${error?.stack ?? error}` })));
if (later.length > 0) location.replace(`?visits=${encodeURIComponent(JSON.stringify(later))}`);
