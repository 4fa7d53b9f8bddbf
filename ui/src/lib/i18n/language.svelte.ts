/**
 * Which language the window speaks, and the texts of it. A language that is not English is fetched when it is spoken.
 */
import { en, type Messages } from './en';

/** Each by its own name. */
export const LANGUAGES = { en: 'English', de: 'Deutsch' } as const;
export type LanguageId = keyof typeof LANGUAGES;
/** Null is the system's. */
export type LanguageChoice = LanguageId | null;

const CATALOGUES: Record<LanguageId, () => Promise<Messages>> = {
  en: async () => en,
  de: async () => (await import('./de')).de,
};

export interface Spoken {
  /** For the document's `lang`. */
  id: string;
  /** For numbers, dates and lists. */
  locale: string;
  messages: Messages;
}

class Language {
  #spoken = $state.raw<Spoken>({ id: 'en', locale: localeOf('en'), messages: en });
  /** Each choice makes one before it void that is still on its way. */
  #asked = 0;

  get id(): string {
    return this.#spoken.id;
  }

  get locale(): string {
    return this.#spoken.locale;
  }

  get messages(): Messages {
    return this.#spoken.messages;
  }

  /** Resolves once the window speaks it. */
  async speak(choice: LanguageChoice): Promise<void> {
    const asked = ++this.#asked;
    const id = choice ?? nearest(navigator.languages);
    const messages = await CATALOGUES[id]();
    if (asked === this.#asked) this.use({ id, locale: localeOf(id), messages });
  }

  use(spoken: Spoken): void {
    this.#spoken = spoken;
  }
}

export const language = new Language();

/** The texts of the language that is spoken now: what reads one is drawn anew with another language. */
export const t: Messages = new Proxy(en, { get: (_, area) => language.messages[area as keyof Messages] });

/** `100,000` in the reader's own habit. */
export function figure(n: number, digits = 0): string {
  return new Intl.NumberFormat(language.locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(n);
}

/** The first language of the reader's that is spoken here. */
function nearest(wanted: readonly string[]): LanguageId {
  const known = Object.keys(LANGUAGES) as LanguageId[];
  return wanted.flatMap((tag) => known.filter((id) => id === tag.split('-')[0]))[0] ?? 'en';
}

/** As the system writes that language, such as en-GB. */
function localeOf(id: LanguageId): string {
  return navigator.languages.find((tag) => tag.split('-')[0] === id) ?? id;
}
