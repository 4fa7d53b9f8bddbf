/**
 * Pictures of tracks as the node draws them, asked for once each.
 */
import type { Backend } from '../backend';

/** Small ones are some kilobytes, large ones fifty: no more are kept than a long look at the list needs. */
const KEPT = 400;

export class Covers {
  readonly #kept = new Map<string, Promise<string | null>>();

  constructor(private readonly backend: Backend) {}

  /** An address to draw, or null where the track has none. */
  of(track: string, large: boolean): Promise<string | null> {
    const key = `${large ? 'large' : 'small'}:${track}`;
    const known = this.#kept.get(key);
    // The one that was seen last goes last.
    this.#kept.delete(key);
    const address = known ?? this.#ask(track, large, key);
    this.#kept.set(key, address);
    const oldest = this.#kept.keys().next().value;
    if (this.#kept.size > KEPT && oldest !== undefined) this.#kept.delete(oldest);
    return address;
  }

  async #ask(track: string, large: boolean, key: string): Promise<string | null> {
    try {
      return (await this.backend.call({ type: 'get_picture', track, large })).address;
    } catch {
      // Nothing is lost with it; the next who looks asks again.
      this.#kept.delete(key);
      return null;
    }
  }
}
