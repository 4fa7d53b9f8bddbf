/**
 * What the own library knows of the track that is heard, asked for once for each.
 */
import type { Backend, TrackView } from '../backend';

export class Own {
  track = $state.raw<TrackView | null>(null);
  #id: string | null = null;

  constructor(private readonly backend: Backend) {}

  /** As a snapshot tells it. */
  take(track: TrackView | null): void {
    this.track = track;
    this.#id = track?.id ?? null;
  }

  change(track: TrackView): void {
    if (track.id === this.#id) this.track = track;
  }

  async learn(id: string | null): Promise<void> {
    if (id === this.#id) return;
    this.#id = id;
    this.track = null;
    if (id === null) return;
    try {
      const { track } = await this.backend.call({ type: 'get_track', track: id });
      if (this.#id === id) this.track = track;
    } catch {
      // It is shown as the player or the room knows it.
    }
  }
}
