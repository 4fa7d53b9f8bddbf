import { createContext } from 'svelte';
import type { Appearance } from './appearance.svelte';

export { App, provideApp, useApp } from './app.svelte';
export { Appearance, type Theme } from './appearance.svelte';
export { awaitedText } from './awaited';
export type { CurrentTrack } from './current';
export { History } from './history.svelte';
export { press, shortcuts } from './shortcuts';
export { Submission } from './submission.svelte';
export { TOLD, type Told } from './told.svelte';
export type { Dialog } from './window.svelte';
export const [useAppearance, provideAppearance] = createContext<Appearance>();
