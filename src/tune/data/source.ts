/** A row of a data set: columns by name. */
export type DataRow = Readonly<Record<string, unknown>>;

/** A row with the place where it stands, or, in its stead, what is wrong there. */
export type DataRecord = { readonly at: string } & ({ readonly row: DataRow } | { readonly problem: string });

/** Where examples come from: a file, a data set of the hub, values of a program. */
export interface ExampleSource {
  /** Its path or name, as messages show it. */
  readonly name: string;
  /** All rows from the first on, each time that it is called. Broken ones are told, not thrown. */
  records(): Iterable<DataRecord> | AsyncIterable<DataRecord>;
}

/**
 * Rows that are read elsewhere, such as a split of a data set on the Hugging Face hub. Row i is `name[i]`, from 0.
 * A function is called anew for each reading.
 */
export function rowsSource(
  name: string,
  rows: Iterable<DataRow> | (() => Iterable<DataRow> | AsyncIterable<DataRow>),
): ExampleSource {
  return {
    name,
    async *records() {
      let index = 0;
      for await (const row of typeof rows === "function" ? rows() : rows) yield { at: `${name}[${index++}]`, row };
    },
  };
}
