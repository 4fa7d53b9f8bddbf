/**
 * The made-up node's library: searched and sorted well enough to be looked at. The real one does so in its database.
 */
import { CallFailure } from '../backend';
import type { TrackColumn, TrackOrder, TrackPageView, TrackView } from '../generated/bridge';

const FILTERS = ['bpm', 'key', 'energy', 'loudness', 'year', 'time', 'added', 'played', 'plays', 'title', 'artist', 'album', 'file', 'is'];

export function page(tracks: TrackView[], revision: number, search: string, order: TrackOrder | null, from: number, count: number): TrackPageView {
  const unknown = /(?:^|\s)(\p{L}+):\S/u.exec(search)?.[1];
  if (unknown !== undefined && !FILTERS.includes(unknown)) {
    throw new CallFailure('bad_filter', `there is no filter “${unknown}:”. There are ${FILTERS.join(', ')}.`);
  }
  const found = sorted(matching(tracks, search), order);
  const read_as = search === 'nrothwater' ? [{ word: search, instead: ['northwater'] }] : [];
  const shown = read_as.length > 0 ? matching(tracks, 'northwater') : found;
  return { revision, total: shown.length, from, rows: shown.slice(from, from + count), read_as };
}

/** Every word must be found somewhere; case and accents do not matter. */
function matching(tracks: TrackView[], words: string): TrackView[] {
  const wanted = plain(words).split(/\s+/u).filter(Boolean);
  if (wanted.length === 0) return tracks;
  return tracks.filter((track) => {
    const text = plain([track.title, track.artist, track.album].join(' '));
    return wanted.every((word) => text.includes(word));
  });
}

function plain(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLocaleLowerCase();
}

/** What is not known comes last, whichever way round. */
function sorted(tracks: TrackView[], order: TrackOrder | null): TrackView[] {
  if (!order) return tracks;
  const sign = order.down ? -1 : 1;
  return tracks.toSorted((a, b) => {
    const [left, right] = [valueOf(a, order.by), valueOf(b, order.by)];
    if (left === null || right === null) return Number(left === null) - Number(right === null);
    return sign * (typeof left === 'number' && typeof right === 'number' ? left - right : String(left).localeCompare(String(right), undefined, { numeric: true }));
  });
}

function valueOf(track: TrackView, column: TrackColumn): string | number | null {
  switch (column) {
    case 'title': return track.title;
    case 'artist': return track.artist;
    case 'album': return track.album;
    case 'duration': return track.duration_s > 0 ? track.duration_s : null;
    case 'bpm': return track.tempo?.bpm ?? null;
    case 'key': return track.key?.camelot ?? null;
    case 'energy': return track.energy;
    case 'loudness': return track.loudness_lufs;
    case 'year': return track.year;
    case 'added': return track.added_at_ms;
    case 'plays': return track.plays;
    case 'played': return track.played_at_ms;
  }
}
