/**
 * A drag over the waveform: what plays follows the hand, a few times a second. Where the hand lets go is a seek of its own.
 */

/** Each step is a change for everybody, and is heard a lead (0.14 s on a LAN) later: more would only pile up. */
const EVERY_MS = 200;

export class Scrub {
  #lastAt = -Infinity;

  constructor(private readonly seek: (positionS: number) => void, private readonly nowMs = () => performance.now()) {}

  to(positionS: number): void {
    const now = this.nowMs();
    if (now - this.#lastAt < EVERY_MS) return;
    this.#lastAt = now;
    this.seek(positionS);
  }
}
