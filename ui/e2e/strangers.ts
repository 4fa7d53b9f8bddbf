/**
 * Runs in the page: words that are neither from the catalogue, which is strange here, nor known.
 * Self-contained, as only its text gets there.
 */
export function strangers(known: string[]): string[] {
  const words = new Set(known);
  const found = new Set<string>();
  const check = (text: string | null, where: string) => {
    // In the strange language no plain letter is left. One or two are keys and signs of music, whatever the language.
    const foreign = (text?.match(/\p{L}{3,}/gu) ?? []).filter((word) => /[A-Za-z]/u.test(word) && !words.has(word));
    if (foreign.length > 0) found.add(`“${foreign.join(' ').slice(0, 80)}” in ${where} is in no catalogue`);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement;
    if (parent && !parent.closest('kbd, script, style')) check(node.textContent, `<${parent.localName}>`);
  }
  for (const element of document.body.querySelectorAll('*')) {
    for (const name of ['title', 'aria-label', 'placeholder', 'alt', 'aria-valuetext']) check(element.getAttribute(name), `${name} of <${element.localName}>`);
  }
  return [...found];
}
