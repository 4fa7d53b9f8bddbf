import { describe, expect, it } from 'vitest';
import { Appearance } from './appearance.svelte';

function storage(kept: string | null = null) {
  const store = { kept, getItem: () => store.kept, setItem: (_: string, value: string) => void (store.kept = value) };
  return store;
}

/** A wish of the system, which may change. */
function system(matches: boolean) {
  const changed = new Set<() => void>();
  const query = { matches, addEventListener: (_: string, listener: () => void) => changed.add(listener) } as unknown as MediaQueryList;
  const change = (now: boolean) => {
    Object.assign(query, { matches: now });
    for (const listener of changed) listener();
  };
  return { query, change };
}

const light = system(false).query;
const dark = system(true).query;
const ordinary = system(false).query;

describe('the appearance', () => {
  it('follows the system until one is chosen, and keeps what was chosen', () => {
    const store = storage();
    const first = new Appearance(store, dark, ordinary);
    expect(first.dark).toBe(true);
    first.choose({ theme: 'light' });
    expect(first.dark).toBe(false);
    expect(new Appearance(store, dark, ordinary).dark).toBe(false);
  });

  it('follows what the system asks for while it runs, but not once contrast was chosen', () => {
    const [theme, contrast] = [system(false), system(false)];
    const appearance = new Appearance(storage(), theme.query, contrast.query);
    theme.change(true);
    contrast.change(true);
    expect([appearance.dark, appearance.contrast]).toEqual([true, true]);
    appearance.choose({ contrast: true });
    contrast.change(false);
    expect(appearance.contrast).toBe(true);
  });

  it('is carried to the document', () => {
    const root = document.createElement('div');
    new Appearance(storage(), dark, system(true).query).applyTo(root);
    expect([root.dataset.theme, root.hasAttribute('data-contrast')]).toEqual(['dark', true]);
  });

  it.each(['', '{', 'null', '{"theme":"pink","contrast":"yes"}'])('survives a storage that holds %s', (kept) => {
    expect(new Appearance(storage(kept), light, ordinary).theme).toBe('system');
  });
});
