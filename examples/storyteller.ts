// The smallest program that has a model write: nothing to download, for this one ships with the package.
//   npm install gemma-ts
import { Gemma } from "gemma-ts";

await using gemma = await Gemma.load("gemma-tiny-ts");

for await (const piece of gemma.generate("Once upon a time", { maxTokens: 100, seed: 7 })) process.stdout.write(piece);

const chat = gemma.chat();
const tale = chat.send("Erzähl mir ein Märchen von einem Fuchs.", { maxTokens: 100, temperature: 0.7, seed: 7 });
process.stdout.write("\n\n");
for await (const piece of tale) process.stdout.write(piece);
process.stdout.write("\n");
