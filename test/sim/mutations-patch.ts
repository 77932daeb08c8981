/** Replacing methods of the core's classes, private ones too: for mutations only. */

// biome-ignore lint/suspicious/noExplicitAny: what is private to a class has no type outside it.
export type Inner = any;

/** `make` is given the original and returns what takes its place. */
export function replaceMethod(
  target: { readonly prototype: object },
  name: string,
  make: (original: Inner) => (this: Inner, ...args: Inner[]) => unknown,
): void {
  const prototype = target.prototype as Record<string, unknown>;
  const original = prototype[name];
  if (typeof original !== 'function') throw new Error(`there is no method ${name} any more; adapt the mutation`);
  prototype[name] = make(original);
}
