/**
 * People's pictures, asked for once each.
 */
import type { Backend } from '../backend';

/** Some kilobytes each; more people than a room has on screen. */
const KEPT = 200;

export class Portraits {
  readonly #kept = new Map<string, Promise<string | null>>();

  constructor(private readonly backend: Backend) {}

  /** The picture of somebody that has this mark; null where it cannot be had. */
  of(user: string, mark: string): Promise<string | null> {
    const key = `${user}:${mark}`;
    const picture = this.#kept.get(key) ?? this.#ask(user, key);
    this.#kept.set(key, picture);
    const oldest = this.#kept.keys().next().value;
    if (this.#kept.size > KEPT && oldest !== undefined) this.#kept.delete(oldest);
    return picture;
  }

  async #ask(user: string, key: string): Promise<string | null> {
    try {
      return (await this.backend.call({ type: 'get_portrait', user })).picture;
    } catch {
      // Nothing is lost with it; the next who looks asks again.
      this.#kept.delete(key);
      return null;
    }
  }
}
