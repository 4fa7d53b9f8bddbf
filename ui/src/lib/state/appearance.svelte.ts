/**
 * Light or dark, and how much contrast. Kept in this window's own storage; applied to the document's root.
 */
export type Theme = 'system' | 'light' | 'dark';

const KEY = 'appearance';

interface Kept {
  theme: Theme;
  /** Null until it was chosen: then the system decides. */
  contrast: boolean | null;
}

export class Appearance {
  #kept = $state.raw<Kept>({ theme: 'system', contrast: null });
  /** What the system asks for now. */
  #systemDark = $state(false);
  #systemContrast = $state(false);
  /** All that was chosen, to be chosen again. */
  kept = $derived(this.#kept);
  theme = $derived(this.#kept.theme);
  dark = $derived(this.theme === 'system' ? this.#systemDark : this.theme === 'dark');
  contrast = $derived(this.#kept.contrast ?? this.#systemContrast);

  constructor(private readonly storage: Pick<Storage, 'getItem' | 'setItem'>, dark: MediaQueryList, contrast: MediaQueryList) {
    this.#kept = { ...this.#kept, ...kept(storage.getItem(KEY)) };
    this.#systemDark = dark.matches;
    this.#systemContrast = contrast.matches;
    dark.addEventListener('change', () => (this.#systemDark = dark.matches));
    contrast.addEventListener('change', () => (this.#systemContrast = contrast.matches));
  }

  choose(change: Partial<Kept>): void {
    this.#kept = { ...this.#kept, ...change };
    this.storage.setItem(KEY, JSON.stringify(this.#kept));
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
