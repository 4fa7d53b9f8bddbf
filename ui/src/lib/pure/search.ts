/**
 * Finding words in what people wrote, whatever case and accents.
 */
const plainTexts = new WeakMap<object, string>();

const ASCII = /^\p{ASCII}*$/u;

export function plain(text: string): string {
  // Most of what is written has nothing to take off, which is quick to see.
  const bare = ASCII.test(text) ? text : text.normalize('NFD').replace(/\p{M}/gu, '');
  return bare.toLocaleLowerCase();
}

/** Those of which every word is found somewhere. A text is made plain once, so that a long list is searched as one types. */
export function matchingWords<T extends object>(list: T[], words: string, textOf: (one: T) => string): T[] {
  const wanted = plain(words).split(/\s+/u).filter(Boolean);
  return list.filter((one) => {
    let text = plainTexts.get(one);
    if (text === undefined) plainTexts.set(one, (text = plain(textOf(one))));
    return wanted.every((word) => text.includes(word));
  });
}
