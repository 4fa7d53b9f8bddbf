/**
 * The moving position. Only what plays moves: a paused window redraws nothing.
 */
import type { PlayerView } from '../backend';
import { follow, isStale, NOTHING, positionAt, type Anchor, type Wish } from '../pure/playhead';

export class Playhead {
  /** In seconds, as of the last frame. */
  positionS = $state(0);

  #anchor: Anchor = NOTHING;
  #track: string | null = null;
  #wish: Wish | null = null;
  #frame: number | null = null;

  report(player: PlayerView, nowMs = performance.now()): void {
    const report = { positionS: player.position_s, playing: player.state === 'playing', durationS: player.duration_s, loop: player.loop_region };
    const stale = player.track === this.#track && isStale(player.position_s, this.#wish, nowMs);
    if (stale) {
      this.#anchor = { ...report, positionS: positionAt(this.#anchor, nowMs), atMs: nowMs };
    } else {
      this.#wish = null;
      this.#anchor = player.track === this.#track ? follow(this.#anchor, report, nowMs) : { ...report, atMs: nowMs };
    }
    this.#track = player.track;
    this.#tick(nowMs);
  }

  /** Shows a seek at once, before the node has carried it out. */
  expect(positionS: number, nowMs = performance.now()): void {
    this.#wish = { positionS, atMs: nowMs };
    this.#anchor = { ...this.#anchor, positionS, atMs: nowMs };
    this.#tick(nowMs);
  }

  stop(): void {
    if (this.#frame !== null) cancelAnimationFrame(this.#frame);
    this.#frame = null;
  }

  #tick(nowMs: number): void {
    this.positionS = positionAt(this.#anchor, nowMs);
    if (this.#anchor.playing && this.#frame === null) {
      this.#frame = requestAnimationFrame(() => {
        this.#frame = null;
        this.#tick(performance.now());
      });
    }
  }
}
