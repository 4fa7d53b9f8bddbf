/**
 * Runs in the page: what is cut off, spills out or scrolls sideways. Self-contained, as only its text gets there.
 */
export function layoutFaults(): string[] {
  const found = new Set<string>();
  const named = (element: Element) => {
    const mark = element.getAttribute('data-testid') ?? element.className.toString().split(' ')[0];
    return `<${element.localName}${mark ? ` ${mark}` : ''}> “${(element.textContent ?? '').trim().slice(0, 60)}”`;
  };
  const plain = (text: string | null) => (text ?? '').replaceAll(/\s+/gu, ' ').trim();

  /** Whether a tooltip on the element or around it says in full what is cut. */
  const told = (element: Element, text: string) => {
    for (let at: Element | null = element; at; at = at.parentElement) if (plain(at.getAttribute('title')).includes(text)) return true;
    return false;
  };

  /** Whether a box lies partly outside what an ancestor shows; what one can scroll to does not count. */
  const cut = (box: DOMRect, element: Element) => {
    for (let at: Element | null = element; at && at !== document.body; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (style.overflowX === 'auto' || style.overflowX === 'scroll') return false;
      if (style.overflowX === 'visible') continue;
      const frame = at.getBoundingClientRect();
      if (box.right > frame.right + 1 || box.left < frame.left - 1 || box.bottom > frame.bottom + 3 || box.top < frame.top - 3) return true;
    }
    return false;
  };

  const widthOf = (text: string, style: CSSStyleDeclaration) => {
    const surface = document.createElement('canvas').getContext('2d');
    if (!surface) return 0;
    surface.font = style.font;
    return surface.measureText(text).width;
  };

  const checkText = (element: Element, style: CSSStyleDeclaration) => {
    const range = document.createRange();
    for (const node of element.childNodes) {
      const text = plain(node.textContent);
      // Where blanks are kept, one at the end of a line hangs over.
      const hangs = style.whiteSpace.startsWith('pre') ? widthOf(' ', style) : 0;
      if (node.nodeType !== Node.TEXT_NODE || text === '') continue;
      range.selectNodeContents(node);
      const frame = element.getBoundingClientRect();
      for (const box of range.getClientRects()) {
        if (box.width < 1) continue;
        if (cut(box, element)) {
          if (!told(element, text)) found.add(`cut off without a title: ${named(element)}`);
        } else if (style.display !== 'inline' && (box.right > frame.right + 1 + hangs || box.left < frame.left - 1)) {
          found.add(`spills out of its box: ${named(element)}`);
        } else if (box.right > innerWidth + 1 || box.left < -1) {
          found.add(`outside the window: ${named(element)}`);
        }
      }
    }
  };

  const checkField = (element: Element, style: CSSStyleDeclaration) => {
    let text = '';
    if (element instanceof HTMLSelectElement) text = element.selectedOptions[0]?.text ?? '';
    else if ((element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement) && element.value === '') text = element.placeholder;
    const arrow = element instanceof HTMLSelectElement ? 18 : 0;
    const room = element.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight) - arrow;
    if (text !== '' && widthOf(text, style) > room + 1) found.add(`too narrow for “${text}”: ${named(element)}`);
  };

  if (document.documentElement.scrollWidth > innerWidth) found.add(`the page is ${document.documentElement.scrollWidth} px wide`);
  for (const element of document.body.querySelectorAll('*')) {
    if (element instanceof SVGElement || element.closest('.hidden') || !element.checkVisibility({ visibilityProperty: true })) continue;
    const style = getComputedStyle(element);
    if (style.clipPath === 'inset(50%)') continue;
    const field = element.matches('input, select, textarea');
    const scrolls = style.overflowX === 'auto' || style.overflowX === 'scroll';
    if (!field && scrolls && element.scrollWidth > element.clientWidth + 1) found.add(`scrolls sideways: ${named(element)}`);
    if (field) checkField(element, style);
    else if (!element.matches('option')) checkText(element, style);
  }
  return [...found];
}
