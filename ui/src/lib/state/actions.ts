/**
 * What can be done with a track of a list: in its menu, and by a key of its row.
 */
import { t } from '../i18n';
import type { Request, TrackList, TrackView } from '../backend';
import type { App } from './app.svelte';

export interface Action {
  id: string;
  says: string;
  /** As shown; pressed on the track's row. */
  key?: string;
  run: () => void;
}

/** Shows another list from its beginning; `title` where only the window knows what it is called. */
export function showList(app: App, list: TrackList, title = ''): void {
  app.window.screen = 'library';
  app.window.listTitle = title;
  void app.tracks.want({ list, search: '', order: null });
}

/** Plays a track of the list that is shown, and then what follows it there; in a room it is shared. */
export function playFromList(app: App, track: TrackView): void {
  const { room } = app;
  if (room) void tell(app, { type: 'share_track', track: track.id }, t.actions.shared(track.title, room.settings.name));
  else void app.ask({ type: 'play_from', track: track.id, ...app.tracks.wanted });
}

/** Says that it was done, where the list does not show it. */
async function tell(app: App, request: Request, done: string): Promise<void> {
  if (await app.ask(request)) app.notices.add('info', request.type, done);
}

/** The actions for the track at `place` of the list that is shown. */
export function actionsFor(app: App, track: TrackView, place: number): Action[] {
  const { list } = app.tracks.wanted;
  const usable = track.availability !== 'broken' && track.availability !== 'missing';
  const ask = app.ask.bind(app);
  const found: Action[] = [];
  if (usable && app.room) {
    found.push(
      { id: 'share', says: t.actions.share, key: 'Enter', run: () => playFromList(app, track) },
      { id: 'alone', says: t.actions.listenAlone, key: 'V', run: () => void ask({ type: 'listen_alone', track: track.id }) },
    );
  }
  if (usable && !app.room) {
    found.push(
      { id: 'play', says: t.actions.play, key: 'Enter', run: () => playFromList(app, track) },
      { id: 'next', says: t.actions.playNext, key: 'Shift Q', run: () => void tell(app, { type: 'queue_track', track: track.id, next: true }, t.actions.playsNext(track.title)) },
      { id: 'queue', says: t.actions.queue, key: 'Q', run: () => void tell(app, { type: 'queue_track', track: track.id, next: false }, t.actions.queued(track.title)) },
    );
  }
  found.push({ id: 'playlist', says: t.actions.addToPlaylist, key: 'A', run: () => app.window.open({ type: 'add_to_playlist', tracks: [track.id], title: track.title }) });
  if (track.tempo || track.key) found.push({ id: 'matching', says: t.actions.matching, key: 'G', run: () => showList(app, { type: 'matching', track: track.id }, track.title) });
  if (list.type === 'playlist') {
    found.push({ id: 'remove', says: t.actions.removeFromPlaylist, key: 'Delete', run: () => void ask({ type: 'remove_from_playlist', playlist: list.playlist, place }) });
  } else {
    found.push({ id: 'remove', says: t.actions.removeFromLibrary, key: 'Delete', run: () => void tell(app, { type: 'remove_track', track: track.id }, t.actions.removed(track.title)) });
  }
  return found;
}

/** The action that a key on a row means. */
export function actionOf(actions: Action[], event: KeyboardEvent): Action | undefined {
  if (event.ctrlKey || event.metaKey || event.altKey) return undefined;
  const key = event.key.length === 1 ? event.key.toUpperCase() : event.key;
  const pressed = event.shiftKey ? `Shift ${key}` : key;
  return actions.find((action) => action.key === pressed);
}
