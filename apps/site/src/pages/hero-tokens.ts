import type { Language } from "../text/texts.js";

/** A token as Gemma's tokenizer cuts it, its id, and its probability given all before it, to four places. */
export type HeroToken = readonly [text: string, id: number, probability: number];

/**
 * What `gemma-ts` 0.1.0 computed with gemma-3-270m (Q4_K_M) on its native backend, activations int8:
 * `gemma.score({ ids: [2, ...(await gemma.encode(sentence))] })`. The <bos> in front is left out here.
 */
export const HERO_TOKENS: Readonly<Record<Language, readonly HeroToken[]>> = {
  en: [
    ["A", 236776, 0.025],
    [" journey", 9338, 0],
    [" of", 529, 0.1924],
    [" a", 496, 0.1108],
    [" thousand", 13460, 0.5732],
    [" miles", 7635, 0.7666],
    [" begins", 12502, 0.241],
    [" with", 607, 0.9705],
    [" a", 496, 0.7888],
    [" single", 3161, 0.6947],
    [" step", 2918, 0.7784],
    [".", 236761, 0.5027],
  ],
  de: [
    ["All", 3243, 0.0008],
    ["er", 497, 0.0349],
    [" Anfang", 78205, 0.0007],
    [" ist", 3526, 0.0195],
    [" schwer", 62981, 0.0007],
    [",", 236764, 0.3024],
    [" aber", 12558, 0.203],
    [" Ü", 15356, 0],
    ["bung", 51554, 0.2829],
    [" macht", 38212, 0.6928],
    [" den", 2034, 0.8117],
    [" Meister", 127067, 0.2968],
    [".", 236761, 0.527],
  ],
};
