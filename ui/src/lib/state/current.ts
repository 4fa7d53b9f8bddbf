/**
 * The track that the window is about: what plays, else what a press on play would start.
 */
import { t } from '../i18n';
import { problemText } from '../pure/words';
import type { KeyView, PlayerView, RoomView, TempoView, TrackView } from '../backend';

export interface CurrentTrack {
  id: string;
  title: string;
  artist: string | null;
  durationS: number;
  tempo: TempoView | null;
  key: KeyView | null;
  energy: number | null;
  /** Why there is nothing to hear or see, for a person. */
  problem: string | null;
  /** 0 to 1 while it is analysed. */
  progress: number | null;
  /** Changes whenever a waveform that was not there may be there now. */
  stage: string;
}

/** What plays, else what a press on play would start. */
export function currentId(player: PlayerView, room: RoomView | null): string | null {
  const queued = room ? (room.queue.find((item) => item.id === room.current) ?? room.queue[0]) : undefined;
  return player.track ?? queued?.track ?? null;
}

/** `inLibrary` is what the own library knows of it. */
export function currentTrack(player: PlayerView, room: RoomView | null, inLibrary: TrackView | null): CurrentTrack | null {
  const id = currentId(player, room);
  if (id === null) return null;
  const shared = room?.tracks.find((track) => track.id === id);
  const own = inLibrary?.id === id ? inLibrary : undefined;
  const known = shared ?? own;
  const durationS = player.track === id && player.duration_s > 0 ? player.duration_s : (known?.duration_s ?? 0);
  return {
    id,
    title: known?.title ?? player.title ?? t.common.untitled,
    artist: known?.artist ?? player.artist,
    durationS,
    tempo: own?.tempo ?? shared?.tempo ?? null,
    key: own?.key ?? shared?.key ?? null,
    energy: own?.energy ?? shared?.energy ?? null,
    problem: known?.error ? problemText(known.error, own?.path) : null,
    progress: own?.availability === 'analyzing' ? own.progress : null,
    stage: [durationS, shared?.state, shared?.tempo?.bpm, own?.availability, own?.tempo?.bpm, own?.tempo?.by_hand, own?.key?.by_hand].join(),
  };
}
