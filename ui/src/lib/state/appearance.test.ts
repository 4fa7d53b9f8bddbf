import { describe, expect, it } from 'vitest';
import { Appearance } from './appearance.svelte';

function storage(kept: string | null = null) {
  const store = { kept, getItem: () => store.kept, setItem: (_: string, value: string) => void (store.kept = value) };
  return store;
}

const system = (dark: boolean) => ({ matches: dark, addEventListener: () => {} }) as unknown as MediaQueryList;

describe('the appearance', () => {
  it('follows the system until one is chosen, and keeps what was chosen', () => {
    const store = storage();
    const first = new Appearance(store, system(true));
    expect(first.dark).toBe(true);
    first.choose({ theme: 'light' });
    expect(first.dark).toBe(false);
    expect(new Appearance(store, system(true)).dark).toBe(false);
  });

  it('is carried to the document', () => {
    const root = document.createElement('div');
    new Appearance(storage(), system(true), true).applyTo(root);
    expect([root.dataset.theme, root.hasAttribute('data-contrast')]).toEqual(['dark', true]);
  });

  it.each(['', '{', 'null', '{"theme":"pink","contrast":"yes"}'])('survives a storage that holds %s', (kept) => {
    expect(new Appearance(storage(kept), system(false)).theme).toBe('system');
  });
});
