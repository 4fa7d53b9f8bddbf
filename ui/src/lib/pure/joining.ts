/**
 * What to try when a room cannot be joined, by the reason's code.
 */
import { t } from '../i18n';

export function whatToTry(code: string): string[] {
  const { tries } = t.trouble;
  return Object.hasOwn(tries, code) ? (tries[code] ?? []) : [];
}
