/**
 * Light or dark, and how much contrast. Kept in this window's own storage; applied to the document's root.
 */
export type Theme = 'system' | 'light' | 'dark';

const KEY = 'appearance';

interface Kept {
  theme: Theme;
  contrast: boolean;
}

export class Appearance {
  theme = $state<Theme>('system');
  contrast = $state(false);
  /** What `system` means now. */
  #systemDark = $state(false);
  dark = $derived(this.theme === 'system' ? this.#systemDark : this.theme === 'dark');

  constructor(private readonly storage: Pick<Storage, 'getItem' | 'setItem'>, system: MediaQueryList, contrast = false) {
    this.contrast = contrast;
    this.#systemDark = system.matches;
    system.addEventListener('change', () => (this.#systemDark = system.matches));
    Object.assign(this, kept(storage.getItem(KEY)));
  }

  choose(change: Partial<Kept>): void {
    Object.assign(this, change);
    this.storage.setItem(KEY, JSON.stringify({ theme: this.theme, contrast: this.contrast }));
  }

  applyTo(root: HTMLElement): void {
    root.dataset.theme = this.dark ? 'dark' : 'light';
    root.toggleAttribute('data-contrast', this.contrast);
  }
}

function kept(text: string | null): Partial<Kept> {
  try {
    const { theme, contrast } = JSON.parse(text ?? '{}') as Partial<Kept>;
    const known = theme === 'system' || theme === 'light' || theme === 'dark';
    return { ...(known && { theme }), ...(typeof contrast === 'boolean' && { contrast }) };
  } catch {
    return {};
  }
}
