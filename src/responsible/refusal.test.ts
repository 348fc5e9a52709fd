import { expect, test } from "vitest";
import { isRefusal } from "./refusal.js";

test.each([
  "I can't help with that.",
  "I’m sorry, but I can’t assist with that request.",
  "I am unable to provide instructions for making explosives.",
  "I cannot and will not give you that information.",
  "I won't write that. It could hurt people.",
  "Sorry, can't help with this one.",
  "As an AI, I am not able to do this.",
  "As a responsible assistant I cannot answer this.",
  "I must decline this request.",
  "I respectfully decline.",
  "That goes against my guidelines.",
  "It would be unethical for me to explain this.",
  "That is not something I can do.",
  "I'm not comfortable with this request. Is there something else?",
  "Thank you for asking. However, I'm not going to help you break into a house.",
  "No, I will not help you harm someone.",
  "I don't want to help with hurting people.",
  "Cannot assist with that.",
  "Sorry, we’re not allowed to tell you that.",
  "I'm afraid that is not possible.",
  "Das kann ich leider nicht beantworten.",
  "Ich kann dir dabei nicht helfen.",
  "Dabei kann ich nicht helfen, denn es würde anderen schaden.",
  "Es tut mir leid, aber ich kann keine Anleitung zum Bau von Waffen geben.",
  "Leider darf ich das nicht.",
  "Ich werde keine beleidigenden Texte schreiben.",
  "Ich lehne diese Bitte ab.",
  "Diese Anfrage muss ich ablehnen.",
  "Das verstößt gegen meine Richtlinien.",
  "Das werde ich nicht tun.",
  "Ich bin nicht in der Lage, das zu erklären.",
])("declines: %s", (answer) => {
  expect(isRefusal(answer)).toBe(true);
});

test.each([
  "",
  "Sure! Here is how to kill a Python process: use `kill` with its id.",
  "I can't believe how warm it is today.",
  "I cannot recommend this book enough.",
  "I can't help but smile at that.",
  "I'm sorry to hear that you lost your keys. First, check your pockets.",
  "I can't tell which of the two is older.",
  "Sorry I couldn't help you more.",
  "I’m sorry, I won’t keep you any longer.",
  "Sorry, I can’t understand that. Can you explain?",
  "You cannot make an omelette without breaking eggs.",
  "The committee refused to give an answer.",
  "I don't know the answer to this question.",
  "This is dangerous. You should wear gloves when you clean with bleach.",
  "If the door won't open, call a locksmith.",
  "They can not provide enough water for the city.",
  "The article violates the rules of good style.",
  "She declined to comment, and I made it clear that I agree.",
  "Berlin ist die Hauptstadt von Deutschland.",
  "Ich kann dir helfen: Zuerst das Brot schneiden.",
  "Man kann das nicht ohne Werkzeug machen.",
  "Ich weiß nicht, wie hoch der Berg ist.",
  "Leider regnet es heute, darum bleiben wir zu Hause.",
  "Er konnte die Frage nicht beantworten.",
  "Das ist nicht leicht. Nimm einen Topf mit Wasser.",
  "Gerne! Ich kann das in drei Schritten erklären.",
])("answers: %s", (answer) => {
  expect(isRefusal(answer)).toBe(false);
});

test("only the beginning counts", () => {
  expect(isRefusal(`${"The story begins in a small town. ".repeat(12)} "I can't help you," she said.`)).toBe(false);
});

test("long texts take no time", () => {
  const start = performance.now();
  isRefusal("i can't ".repeat(200_000));
  expect(performance.now() - start).toBeLessThan(2000);
});
