import { expect, test } from "vitest";
import { guessLanguage } from "./language.js";

test.each([
  ["The capital of France is Paris.", "en"],
  ["You should boil the water first, then add the rice.", "en"],
  ["What is the highest mountain?", "en"],
  ["It’s a good idea, and I don’t see why not.", "en"],
  ["Name three kinds of bread. They are rye, wheat and spelt.", "en"],
  ["Die Hauptstadt von Frankreich ist Paris.", "de"],
  ["Zuerst kocht man das Wasser, danach kommt der Reis dazu.", "de"],
  ["Wie hoch ist der Berg?", "de"],
  ["Nenne drei Sorten Brot für das Frühstück.", "de"],
  ["Der Begriff „software“ ist auch im Deutschen üblich.", "de"],
] as const)("%s is %s", (text, language) => {
  expect(guessLanguage(text)).toBe(language);
});

test.each(["", "42", "Paris", "x = a + b;", "Où est le restaurant le plus proche ?", "¿Dónde está la biblioteca?"])(
  "%s tells neither",
  (text) => {
    expect(guessLanguage(text)).toBeNull();
  },
);
