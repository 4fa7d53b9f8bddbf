/**
 * The node's sentences as they stand alone.
 */
import { t } from '../i18n';

/** They begin small, as they may follow a colon. Alone they begin large, unless with a path or a figure. */
export function sentence(text: string): string {
  const first = [...text.slice(0, 2)][0] ?? '';
  return first.toUpperCase() + text.slice(first.length);
}

/** The same beside another sentence: it ends as one. */
export function fullStop(text: string): string {
  return /[.!?…]$/u.test(text) ? text : `${text}.`;
}

/** A failure in the reader's language, where the catalogue knows its code; else as the node says it. */
export function failureText({ code, message }: { code: string; message: string }): string {
  const { failures } = t.trouble;
  const say = Object.hasOwn(failures, code) ? failures[code] : undefined;
  return say ? say(subjectOf(message)) : sentence(message);
}

/** Why a file cannot be used, without its path: that stands elsewhere. */
export function problemText(problem: { code: string; message: string }, path?: string): string {
  const message = path ? problem.message.replace(`"${path}"`, t.library.thisFile).replace(path, t.library.thisFile) : problem.message;
  return failureText({ ...problem, message });
}

/** What a sentence of the node quotes: the file, folder or room that it is about. Nothing where it quotes nothing. */
function subjectOf(message: string): string {
  return /"((?:[^"\\]|\\.)*)"/u.exec(message)?.[1] ?? '';
}
