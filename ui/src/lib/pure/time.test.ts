import { describe, expect, it } from 'vitest';
import { clock, dayInSentence, dayName, spoken } from './time';

describe('times', () => {
  it.each([[0, '0:00'], [83.9, '1:23'], [3_723, '1:02:03'], [-4, '0:00'], [Number.NaN, '0:00']])('shows %d as %s', (seconds, text) => {
    expect(clock(seconds)).toBe(text);
  });

  it('speaks in whole words', () => {
    expect(spoken(83)).toBe('1 minute 23 seconds');
    expect(spoken(3_600)).toBe('1 hour');
    expect(spoken(0.4)).toBe('0 seconds');
  });

  it('names days as people do', () => {
    const now = new Date(2026, 2, 14, 0, 30).getTime();
    expect(dayName(now, now)).toBe('Today');
    expect(dayName(now - 3_600_000, now)).toBe('Yesterday');
    expect(dayName(new Date(2026, 2, 9).getTime(), now, 'en')).toBe('Monday, March 9');
  });

  it('names a day within a sentence', () => {
    const now = new Date(2026, 2, 14, 20).getTime();
    const days = [0, 1, 2].map((ago) => dayInSentence(now - ago * 86_400_000, now));
    expect(days).toEqual(['today', 'yesterday', dayName(now - 2 * 86_400_000, now)]);
  });
});
