/**
 * Invites in words: whom one lets in, until when, and why one does not any more.
 */
import { language, t } from '../i18n';


const DAY_MS = 86_400_000;

/** As much of an invite as is said of it. */
export interface Invite {
  role: 'listener' | 'dj' | 'host';
  expires_at_ms: number;
  uses: number;
  max_uses: number | null;
  knock: boolean;
  revoked: boolean;
  usable: boolean;
}

/** Seconds that an invite is good, as they are offered. The first is chosen when nothing is said. */
export const LASTS = ['86400', '604800', '2592000'] as const;
export type Lasts = (typeof LASTS)[number];

export function lastsText(lasts: Lasts): string {
  return { '86400': t.invites.aDay, '604800': t.invites.aWeek, '2592000': t.invites.aMonth }[lasts];
}

/** Why nobody comes in by it any more; null while somebody does. */
export function whyOver(invite: Invite, nowMs: number): string | null {
  if (invite.revoked) return t.invites.withdrawn;
  if (invite.max_uses !== null && invite.uses >= invite.max_uses) return t.invites.usedUp;
  return invite.expires_at_ms <= nowMs || !invite.usable ? t.invites.over : null;
}

export function roleText(role: Invite['role']): string {
  return t.roles[role];
}

/** "2 of 5 came in", "nobody came in yet". */
export function usesText({ uses, max_uses }: Invite): string {
  return t.invites.cameIn(uses, max_uses);
}

/** "until 20:30" within a day, later "until 24 December". */
export function untilText(atMs: number, nowMs: number, locale = language.locale): string {
  const near = atMs - nowMs < DAY_MS;
  const format: Intl.DateTimeFormatOptions = near ? { hour: 'numeric', minute: '2-digit' } : { day: 'numeric', month: 'long' };
  const text = new Intl.DateTimeFormat(locale, format).format(atMs);
  return near ? t.invites.untilTime(text) : t.invites.untilDay(text);
}

/** What somebody with the link may expect, as a sentence. */
export function meaning(invite: Invite): string {
  return t.invites.meaning(invite.max_uses, invite.role === 'dj', invite.knock);
}
