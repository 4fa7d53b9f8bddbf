/**
 * The volume as it is wanted: shown at once, like a seek, as a slider must not fall back to what the node said before.
 */
import type { PlayerView } from '../backend';
import { Latest } from './latest';

export type Volume = Pick<PlayerView, 'volume' | 'muted'>;

export class VolumeControl {
  /** As the node told it last. */
  #told: Volume | null = null;
  readonly #latest = new Latest((wish: Volume) => this.#send(wish));

  /** `send` says whether it was done. */
  constructor(private readonly send: (wish: Volume) => Promise<boolean>, private readonly show: (volume: Volume) => void) {}

  /** The player as the node tells it, but for a wish that is on its way. */
  over(player: PlayerView): PlayerView {
    this.#told = { volume: player.volume, muted: player.muted };
    return { ...player, ...this.#latest.wanted };
  }

  set(volume: number, muted: boolean): void {
    const wish = { volume: Math.min(1, Math.max(0, volume)), muted };
    this.show(wish);
    void this.#latest.set(wish);
  }

  async #send(wish: Volume): Promise<void> {
    if (await this.send(wish)) return;
    this.#latest.wanted = null;
    if (this.#told) this.show(this.#told);
  }
}
