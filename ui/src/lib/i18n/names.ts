/**
 * The languages that are spoken, each by its own name.
 */
export const LANGUAGES = { en: 'English', de: 'Deutsch' } as const;
export type LanguageId = keyof typeof LANGUAGES;
/** Null is the system's. */
export type LanguageChoice = LanguageId | null;
