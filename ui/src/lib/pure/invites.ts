/**
 * Invites in words: whom one lets in, until when, and why one does not any more.
 */
import { figure } from './time';

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

/** How long an invite is good, as it is offered. The first is chosen when nothing is said. */
export const LASTS = [
  { value: '86400', label: 'A day' },
  { value: '604800', label: 'A week' },
  { value: '2592000', label: '30 days' },
] as const;
export type Lasts = (typeof LASTS)[number]['value'];

/** Why nobody comes in by it any more; null while somebody does. */
export function whyOver(invite: Invite, nowMs: number): string | null {
  if (invite.revoked) return 'Withdrawn';
  if (invite.max_uses !== null && invite.uses >= invite.max_uses) return 'Used up';
  return invite.expires_at_ms <= nowMs || !invite.usable ? 'Its time is over' : null;
}

export function roleText(role: Invite['role']): string {
  return { listener: 'Listener', dj: 'DJ', host: 'Host' }[role];
}

/** "2 of 5 came in", "nobody came in yet". */
export function usesText({ uses, max_uses }: Invite): string {
  if (max_uses !== null) return `${figure(uses)} of ${figure(max_uses)} came in`;
  return uses === 0 ? 'Nobody came in yet' : `${figure(uses)} came in`;
}

/** "until 20:30" within a day, later "until 24 December". */
export function untilText(atMs: number, nowMs: number, locale?: string): string {
  const near = atMs - nowMs < DAY_MS;
  const format: Intl.DateTimeFormatOptions = near ? { hour: '2-digit', minute: '2-digit' } : { day: 'numeric', month: 'long' };
  return `until ${new Intl.DateTimeFormat(locale, format).format(atMs)}`;
}

/** What somebody with the link may expect, as a sentence. */
export function meaning(invite: Invite): string {
  const who = invite.max_uses === 1 ? 'One person' : invite.max_uses === null ? 'Whoever has this link' : `The first ${figure(invite.max_uses)} with this link`;
  const role = invite.role === 'dj' ? 'a DJ' : 'a listener';
  if (!invite.knock) return `${who} can come in as ${role}.`;
  return `${who} can ask to come in as ${role}; you decide about each.`;
}
