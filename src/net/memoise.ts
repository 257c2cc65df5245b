/**
 * Remembers what a pure function made of a text, for the `entries` to twice as many texts used last. Two generations
 * instead of a list of uses: a hit is one lookup and allocates nothing, and a flood of new texts can only push others
 * out, never grow it.
 */
export function memoise<V>(compute: (text: string) => V, entries: number): (text: string) => V {
  let young = new Map<string, V>();
  let old = new Map<string, V>();
  return (text) => {
    const known = young.get(text);
    if (known !== undefined || young.has(text)) return known as V;
    const value = old.has(text) ? (old.get(text) as V) : compute(text);
    if (young.size >= entries) {
      old = young;
      young = new Map();
    }
    young.set(text, value);
    return value;
  };
}
