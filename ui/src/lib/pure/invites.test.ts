import { describe, expect, it } from 'vitest';
import { type Invite, meaning, untilText, usesText, whyOver } from './invites';

const NOW_MS = Date.UTC(2026, 2, 14, 20, 30);
const invite = (change: Partial<Invite> = {}): Invite => ({
  role: 'listener', expires_at_ms: NOW_MS + 1, uses: 0, max_uses: null, knock: false, revoked: false, usable: true, ...change,
});

describe('an invite', () => {
  it('lets in until it is withdrawn, used up or past its time', () => {
    expect(whyOver(invite(), NOW_MS)).toBeNull();
    expect(whyOver(invite({ max_uses: 2, uses: 1 }), NOW_MS)).toBeNull();
    expect(whyOver(invite({ max_uses: 2, uses: 2 }), NOW_MS)).toBe('Used up');
    expect(whyOver(invite({ expires_at_ms: NOW_MS }), NOW_MS)).toBe('Its time is over');
    expect(whyOver(invite({ revoked: true, max_uses: 1, uses: 1 }), NOW_MS)).toBe('Withdrawn');
  });

  it('says who comes in by it, as what and until when', () => {
    expect(usesText(invite())).toBe('Nobody came in yet');
    expect(usesText(invite({ uses: 2, max_uses: 5 }))).toBe('2 of 5 came in');
    expect(meaning(invite({ role: 'dj', max_uses: 1 }))).toBe('One person can come in as a DJ.');
    expect(meaning(invite({ knock: true }))).toBe('Whoever has this link can ask to come in as a listener; you decide about each.');
    expect(untilText(Date.UTC(2026, 2, 14, 22), NOW_MS, 'en-GB')).toMatch(/^until \d\d:00$/u);
    expect(untilText(Date.UTC(2026, 3, 13, 12), NOW_MS, 'en-GB')).toBe('until 13 April');
  });
});
