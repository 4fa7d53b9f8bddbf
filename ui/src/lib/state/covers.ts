/**
 * Pictures of tracks as the node draws them, asked for once each.
 */
import type { Backend } from '../backend';

/** Small ones are some kilobytes, large ones fifty: no more are kept than a long look at the list needs. */
const KEPT = 400;

interface Kept {
  asked: Promise<string | null>;
  /** Once it is here. */
  address?: string | null;
}

export class Covers {
  readonly #kept = new Map<string, Kept>();

  constructor(private readonly backend: Backend) {}

  /** What is here already, undefined where it would have to be asked for. */
  known(track: string, large: boolean): string | null | undefined {
    return this.#kept.get(keyOf(track, large))?.address;
  }

  /** An address to draw, or null where the track has none. */
  of(track: string, large: boolean): Promise<string | null> {
    const key = keyOf(track, large);
    const kept = this.#kept.get(key) ?? this.#ask(track, large, key);
    // The one that was seen last goes last.
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    const oldest = this.#kept.keys().next().value;
    if (this.#kept.size > KEPT && oldest !== undefined) this.#kept.delete(oldest);
    return kept.asked;
  }

  #ask(track: string, large: boolean, key: string): Kept {
    const kept: Kept = { asked: this.backend.call({ type: 'get_picture', track, large }).then(
      ({ address }) => (kept.address = address),
      () => {
        // Nothing is lost with it; the next who looks asks again.
        this.#kept.delete(key);
        return null;
      },
    ) };
    return kept;
  }
}

const keyOf = (track: string, large: boolean) => `${large ? 'large' : 'small'}:${track}`;
