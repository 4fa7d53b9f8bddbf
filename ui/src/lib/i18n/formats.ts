/**
 * Formats of numbers and days, kept: making one takes a hundred times as long as using it, and a list uses thousands.
 */
const numbers = new Map<string, Intl.NumberFormat>();
const days = new Map<string, Intl.DateTimeFormat>();

export function numberFormat(locale: string, digits: number): Intl.NumberFormat {
  const key = `${locale} ${digits}`;
  const format = numbers.get(key) ?? new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  numbers.set(key, format);
  return format;
}

/** As short as a column. */
export function dayFormat(locale: string): Intl.DateTimeFormat {
  const format = days.get(locale) ?? new Intl.DateTimeFormat(locale, { day: '2-digit', month: '2-digit', year: '2-digit' });
  days.set(locale, format);
  return format;
}
