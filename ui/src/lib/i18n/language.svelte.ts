/**
 * Which language the window speaks, and the texts of it. A language that is not English is fetched when it is spoken.
 */
import { en, type Messages } from './en';
import { numberFormat } from './formats';
import type { LanguageChoice } from './names';

interface Spoken {
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
  readonly #catalogues: Record<string, () => Promise<Messages>> = { en: async () => en, de: async () => (await import('./de')).de };

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
    const id = choice ?? this.#nearest(navigator.languages);
    const messages = await (this.#catalogues[id] ?? this.#catalogues.en)?.();
    if (messages && asked === this.#asked) this.#spoken = { id, locale: localeOf(id), messages };
  }

  /** One language more, for who asks for it by its whole name. */
  teach(id: string, messages: Messages): void {
    this.#catalogues[id] = async () => messages;
  }

  /** The first language of the reader's that is spoken here. */
  #nearest(wanted: readonly string[]): string {
    const known = Object.keys(this.#catalogues);
    return wanted.flatMap((tag) => known.filter((id) => id === tag || id === tag.split('-')[0]).toReversed())[0] ?? 'en';
  }
}

export const language = new Language();

/** The texts of the language that is spoken now: what reads one is drawn anew with another language. */
export const t: Messages = new Proxy(en, { get: (_, area) => language.messages[area as keyof Messages] });

/** `100,000` in the reader's own habit. */
export function figure(n: number, digits = 0): string {
  return numberFormat(language.locale, digits).format(n);
}

/** As the system writes that language, such as en-GB. */
function localeOf(id: string): string {
  return navigator.languages.find((tag) => tag === id || tag.split('-')[0] === id) ?? id;
}
