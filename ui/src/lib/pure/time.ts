/**
 * Times as people read them.
 */

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
  const parts = [
    count(Math.floor(whole / 3_600), 'hour'),
    count(Math.floor(whole / 60) % 60, 'minute'),
    count(whole % 60, 'second'),
  ].filter((part) => !part.startsWith('0 '));
  return parts.join(' ') || '0 seconds';
}

/** `100,000` in the reader's own habit. */
export function figure(n: number): string {
  return new Intl.NumberFormat().format(n);
}

/** As short as a column: "3 h ago", "5 d ago", later the date. */
export function ago(ms: number, nowMs: number, locale?: string): string {
  const minutes = Math.max(0, Math.floor((nowMs - ms) / 60_000));
  if (minutes < 1) return 'Just now';
  if (minutes < 60) return `${minutes} min ago`;
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ago`;
  if (minutes < 14 * 24 * 60) return `${Math.floor(minutes / 60 / 24)} d ago`;
  return new Intl.DateTimeFormat(locale, { day: '2-digit', month: '2-digit', year: '2-digit' }).format(ms);
}

export function count(n: number, thing: string): string {
  return `${figure(n)} ${thing}${n === 1 ? '' : 's'}`;
}

/** Hours and minutes in the reader's own habit. */
export function timeOfDay(ms: number, locale?: string): string {
  return new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit' }).format(ms);
}

/** "Today", "Yesterday", else the date. */
export function dayName(ms: number, nowMs: number, locale?: string): string {
  const days = Math.round((startOfDay(nowMs) - startOfDay(ms)) / 86_400_000);
  if (days === 0) return 'Today';
  if (days === 1) return 'Yesterday';
  return new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long' }).format(ms);
}

export function startOfDay(ms: number): number {
  return new Date(ms).setHours(0, 0, 0, 0);
}
