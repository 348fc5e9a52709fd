type Optional<T> = { [K in keyof T]: undefined extends T[K] ? K : never }[keyof T];

/** What `defined` returns: keys that may be undefined are optional, and never undefined. */
export type Defined<T> = Omit<T, Optional<T>> & { [K in Optional<T>]?: Exclude<T[K], undefined> };

/** A copy without the keys whose value is undefined. */
export function defined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as Defined<T>;
}
