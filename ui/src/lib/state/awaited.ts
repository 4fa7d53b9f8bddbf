/**
 * Whom a track is waiting for.
 */
import { language, t } from '../i18n';
import type { PeerSyncView, RoomView } from '../backend';

/** More names than these are a crowd: then it is how many. */
const NAMED_MOST = 3;

/** "Waiting for Ben and Cleo": those here who say that they lack the current track. */
export function awaitedText(room: RoomView | null, sync: readonly PeerSyncView[]): string {
  const lacking = new Set(sync.filter((peer) => !peer.has_track).map((peer) => peer.user));
  const awaited = room?.members.filter((member) => member.present && lacking.has(member.user)) ?? [];
  const names = awaited.map((member) => (member.user === room?.me ? t.playing.youAmongOthers : member.name));
  if (names.length === 0) return t.playing.waitingForAll;
  if (names.length > NAMED_MOST) return t.playing.waitingForPeople(names.length);
  return t.playing.waitingFor(new Intl.ListFormat(language.locale, { type: 'conjunction' }).format(names));
}
