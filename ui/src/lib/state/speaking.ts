/**
 * Which language the window speaks, told to the node where none was chosen: what that writes for people follows, by whichever
 * system's setting the window goes.
 */
import { language, LANGUAGES, type LanguageChoice, type LanguageId } from '../i18n';
import type { Backend } from '../backend';

export async function speak(choice: LanguageChoice, backend: Backend): Promise<void> {
  await language.speak(choice);
  const spoken = Object.keys(LANGUAGES).find((id): id is LanguageId => id === language.id);
  if (choice === null && spoken) void backend.call({ type: 'speak', language: spoken }).catch(() => {});
}
