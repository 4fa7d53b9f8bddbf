/**
 * Times as people read them.
 */
import { language, t } from '../i18n';
import { dayFormat } from '../i18n/formats';

/** `1:23`, `1:02:03`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(Number.isFinite(seconds) ? seconds : 0));
  const s = String(whole % 60).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${s}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}:${s}`;
}

/** For a screen reader: "1 minute 23 seconds". */
export function spoken(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const parts = ([[Math.floor(whole / 3_600), 'hour'], [Math.floor(whole / 60) % 60, 'minute'], [whole % 60, 'second']] as const).filter(([n]) => n > 0);
  const shown = parts.length > 0 ? parts : ([[0, 'second']] as const);
  return shown.map(([n, unit]) => new Intl.NumberFormat(language.locale, { style: 'unit', unit, unitDisplay: 'long' }).format(n)).join(' ');
}

/** As short as a column: "3 h ago", "5 d ago", later the date. */
export function ago(ms: number, nowMs: number, locale = language.locale): string {
  const minutes = Math.max(0, Math.floor((nowMs - ms) / 60_000));
  if (minutes < 1) return t.time.justNow;
  if (minutes < 60) return t.time.minutesAgo(minutes);
  if (minutes < 24 * 60) return t.time.hoursAgo(Math.floor(minutes / 60));
  if (minutes < 14 * 24 * 60) return t.time.daysAgo(Math.floor(minutes / 60 / 24));
  return dayFormat(locale).format(ms);
}

/** Hours and minutes in the reader's own habit. */
export function timeOfDay(ms: number, locale = language.locale): string {
  return new Intl.DateTimeFormat(locale, { hour: 'numeric', minute: '2-digit' }).format(ms);
}

/** "Today", "Yesterday", else the date. */
export function dayName(ms: number, nowMs: number, locale = language.locale): string {
  const days = Math.round((startOfDay(nowMs) - startOfDay(ms)) / 86_400_000);
  if (days === 0) return t.time.today;
  if (days === 1) return t.time.yesterday;
  return new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long' }).format(ms);
}

/** The same within a sentence. */
export function dayInSentence(ms: number, nowMs: number): string {
  const name = dayName(ms, nowMs);
  return name === t.time.today || name === t.time.yesterday ? name.toLocaleLowerCase(language.locale) : name;
}

export function startOfDay(ms: number): number {
  return new Date(ms).setHours(0, 0, 0, 0);
}
