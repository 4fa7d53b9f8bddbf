/**
 * A made-up picture of a person: a head before a sky, in colours that their id gives.
 */
import { PORTRAIT_PX } from '../../pure/portrait';
import { seedOf } from './sound';

export function portrait(user: string): string {
  const seed = seedOf(user);
  const [sky, skin] = [(seed * 7) % 32, 12 + (seed % 16)];
  let bytes = '';
  for (let row = 0; row < PORTRAIT_PX; row++) {
    for (let column = 0; column < PORTRAIT_PX; column++) {
      const [across, down] = [column / PORTRAIT_PX - 0.5, row / PORTRAIT_PX];
      const head = Math.hypot(across, down - 0.42) < 0.2;
      const body = Math.hypot(across, (down - 1.05) * 1.1) < 0.42;
      const packed = head ? (skin << 11) | (skin << 6) | (skin >> 1) : body ? (8 << 11) | (20 << 5) | sky : (sky << 11) | (44 << 5) | 24;
      bytes += String.fromCharCode(packed & 255, packed >> 8);
    }
  }
  return btoa(bytes);
}
