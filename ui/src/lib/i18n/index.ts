/**
 * What the window says, in the language of who reads it. Every text that people read is in a catalogue here.
 */
export type { Messages } from './en';
export { figure, language, t } from './language.svelte';
export { LANGUAGES, type LanguageChoice, type LanguageId } from './names';
