/**
 * Finding words in what people wrote, whatever case and accents.
 */
const plainTexts = new WeakMap<object, string>();

/** Texts between two pauses: some milliseconds' worth. */
const AT_ONCE = 2_000;
const ASCII = /^\p{ASCII}*$/u;

export function plain(text: string): string {
  // Most of what is written has nothing to take off, which is quick to see.
  const bare = ASCII.test(text) ? text : text.normalize('NFD').replace(/\p{M}/gu, '');
  return bare.toLocaleLowerCase();
}

/** Made plain once, so that a long list is searched as one types. */
function plainOf<T extends object>(one: T, textOf: (one: T) => string): string {
  let text = plainTexts.get(one);
  if (text === undefined) plainTexts.set(one, (text = plain(textOf(one))));
  return text;
}

/** Those of which every word is found somewhere. */
export function matchingWords<T extends object>(list: T[], words: string, textOf: (one: T) => string): T[] {
  const wanted = plain(words).split(/\s+/u).filter(Boolean);
  return list.filter((one) => {
    const text = plainOf(one, textOf);
    return wanted.every((word) => text.includes(word));
  });
}

/** Makes texts plain before they are searched, with pauses in which the page is drawn: the first letter need not wait for it then. */
export async function readAhead<T extends object>(list: T[], textOf: (one: T) => string): Promise<void> {
  for (let from = 0; from < list.length; from += AT_ONCE) {
    for (const one of list.slice(from, from + AT_ONCE)) plainOf(one, textOf);
    await new Promise((later) => setTimeout(later));
  }
}
