/**
 * Sends the newest of a quick run of values, one after another: none overtakes the next, and those between are left out.
 */
export class Latest<T> {
  /** What was asked for last, until it has been answered. */
  wanted: T | null = null;
  #busy = false;

  constructor(private readonly send: (value: T) => Promise<unknown>) {}

  async set(value: T): Promise<void> {
    this.wanted = value;
    if (this.#busy) return;
    this.#busy = true;
    while (this.wanted !== null) {
      const sent: T = this.wanted;
      await this.send(sent);
      if (this.wanted === sent) this.wanted = null;
    }
    this.#busy = false;
  }
}
