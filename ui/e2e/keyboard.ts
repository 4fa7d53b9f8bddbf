/**
 * A walk with the Tab key: every control is reached once, in an order that makes sense, and is seen to be.
 */
import type { Page } from 'playwright-core';

interface Stop {
  name: string;
  /** Place among the expected controls; -1 for what is none of them, such as a scrolling region. */
  index: number;
  region: string;
  /** Of several pages, that stand beside their names or below them. */
  tab: boolean;
  left: number;
  right: number;
  top: number;
  bottom: number;
  fault: string | null;
}

type Walking = Window & { stops?: Stop[] };

export async function walk(page: Page): Promise<string[]> {
  const { names, faults } = await page.evaluate(watch);
  // One press may leave the page, and one more finds its way back in.
  for (let press = 0; press < names.length + 3; press += 1) await page.keyboard.press('Tab');
  const all = await page.evaluate(() => (window as Walking).stops ?? []);
  // Once round: what floats closes behind the walker.
  const round = all.findIndex((stop, at) => stop.index >= 0 && all.findIndex((one) => one.index === stop.index) < at);
  const stops = round < 0 ? all : all.slice(0, round);
  const missed = names.filter((_, index) => stops.every((stop) => stop.index !== index));
  const seen = stops.flatMap((stop) => (stop.fault ? [`${stop.fault}: ${stop.name}`] : []));
  return [...new Set([...faults, ...missed.map((name) => `not reached by Tab: ${name}`), ...seen, ...disorder(stops)])];
}

/** Neither back up nor back to the left within a region; regions in the order of the page, each entered once. */
function disorder(stops: Stop[]): string[] {
  const found: string[] = [];
  for (const [at, next] of stops.entries()) {
    const before = stops[at - 1];
    if (!before || next.index < 0 || before.index < 0) continue;
    // The walk starts anywhere and comes round.
    if (next.index === 0) continue;
    if (next.index !== before.index + 1) found.push(`Tab goes from ${before.name} to ${next.name}`);
    if (next.region !== before.region) continue;
    const beside = before.tab && next.left >= before.right;
    const up = next.bottom <= before.top + 1 && !beside;
    const sameLine = Math.min(next.bottom, before.bottom) - Math.max(next.top, before.top) > Math.min(next.bottom - next.top, before.bottom - before.top) / 2;
    if (up || (sameLine && next.right <= before.left + 1)) found.push(`Tab goes back ${up ? 'up' : 'left'} from ${before.name} to ${next.name}`);
  }
  return found;
}

/** Runs in the page: notes the controls there are, and from then on every focus. Self-contained. */
function watch(): { names: string[]; faults: string[] } {
  const CONTROLS = 'a[href], button, input, select, textarea, [tabindex]';
  const scope = [...document.querySelectorAll('dialog[open]')].at(-1) ?? document.body;
  const named = (element: Element) => {
    const said = element.getAttribute('aria-label') ?? element.closest('label')?.textContent ?? element.textContent ?? '';
    return `<${element.localName} ${element.getAttribute('data-testid') ?? ''}> “${said.replaceAll(/\s+/gu, ' ').trim().slice(0, 50)}”`;
  };
  const faults: string[] = [];
  const controls = [...scope.querySelectorAll<HTMLElement>(CONTROLS)].filter((element) => {
    if (element.matches(':disabled') || !element.checkVisibility({ visibilityProperty: true })) return false;
    if (element instanceof HTMLInputElement && element.type === 'radio') return element.checked;
    // A menu is left by Tab; the arrows go through it.
    if (element.closest('[role=menu]')) return false;
    if (element.tabIndex >= 0) return true;
    // Tabs and rows of a grid are one stop; the arrows go between them, and a row's keys do what its buttons do.
    if (!element.matches('[role=tab], [role=tablist], [role=grid] *')) faults.push(`not in the Tab order: ${named(element)}`);
    return false;
  });

  const faultOf = (element: HTMLElement): string | null => {
    const shown = element.matches('.hidden') ? (element.closest('label') ?? element) : element;
    const rings = [shown, ...shown.querySelectorAll('*')].map((one) => ({ one, style: getComputedStyle(one) }));
    const ring = rings.find(({ style }) => style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2);
    if (!ring) return 'no focus to be seen';
    const box = ring.one.getBoundingClientRect();
    const middle = { x: Math.min(Math.max(0, box.left + box.width / 2), innerWidth - 1), y: Math.min(Math.max(0, box.top + box.height / 2), innerHeight - 1) };
    const top = document.elementFromPoint(middle.x, middle.y);
    if (!top || !(shown.contains(top) || top.contains(shown))) return `hidden by ${top ? named(top) : 'the edge'} while it has the focus`;
    const grows = parseFloat(ring.style.outlineOffset) + parseFloat(ring.style.outlineWidth);
    for (let at = ring.one.parentElement; at; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (Number(style.opacity) < 0.5) return 'too faint while it has the focus';
      // Fixed to the window: what is around it in the page does not cut it.
      if (style.position === 'fixed') break;
      if (style.overflowX === 'visible') continue;
      const frame = at.getBoundingClientRect();
      const sides = [frame.left - box.left + grows, box.right + grows - frame.right, frame.top - box.top + grows, box.bottom + grows - frame.bottom];
      const clipped = sides.filter((px) => px > 0.5).length;
      if (clipped > 0 && at !== document.body && at !== document.documentElement) return `its focus ring is cut off at ${clipped} sides`;
    }
    return null;
  };

  const stops: Stop[] = [];
  (window as Walking).stops = stops;
  const note = (event: FocusEvent) => {
    const element = event.target as HTMLElement;
    if ((window as Walking).stops !== stops) return window.removeEventListener('focusin', note);
    const box = element.getBoundingClientRect();
    // Where it stands in what scrolls: a list that moves to show the next row has not turned around.
    let [downPx, overPx] = [0, 0];
    for (let at = element.parentElement; at; at = at.parentElement) [downPx, overPx] = [downPx + at.scrollTop, overPx + at.scrollLeft];
    const [left, right, top, bottom] = [box.left + overPx, box.right + overPx, box.top + downPx, box.bottom + downPx];
    const region = element.closest('dialog, [role=group][aria-label], nav, main, aside, footer')?.localName ?? 'page';
    stops.push({ name: named(element), index: controls.indexOf(element), region, tab: element.matches('[role=tab]'), left, right, top, bottom, fault: faultOf(element) });
  };
  // On the window, after the listeners of its own: what closes as the focus moves on is closed by then.
  window.addEventListener('focusin', note);
  return { names: controls.map(named), faults };
}
