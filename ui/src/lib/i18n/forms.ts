/**
 * A number with the form of a word that its language wants beside it.
 */
import { figure } from './language.svelte';

type Forms = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string };

/** `counted('en')(2, { one: 'track', other: 'tracks' })` is "2 tracks". */
export function counted(tag: string): (n: number, forms: Forms) => string {
  const rules = new Intl.PluralRules(tag);
  return (n, forms) => `${figure(n)} ${forms[rules.select(n)] ?? forms.other}`;
}
