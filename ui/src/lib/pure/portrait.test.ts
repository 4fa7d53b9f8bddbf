import { expect, it } from 'vitest';
import { PORTRAIT_PX, portraitPixels } from './portrait';

const PIXELS = PORTRAIT_PX * PORTRAIT_PX;
const packed = (low: number, high: number, count = PIXELS) => btoa(String.fromCharCode(low, high).repeat(count));

it('is what its bits say', () => {
  expect([...(portraitPixels(packed(0xff, 0xff)) ?? [])].every((value) => value === 255)).toBe(true);
  // Red alone, and green alone.
  expect([...(portraitPixels(packed(0, 0xf8)) ?? [])].slice(0, 4)).toEqual([255, 0, 0, 255]);
  expect([...(portraitPixels(packed(0xe0, 0x07)) ?? [])].slice(-4)).toEqual([0, 255, 0, 255]);
});

it('is none where it is too short, too long or nothing of the kind', () => {
  for (const bad of ['', 'ä', packed(0, 0, PIXELS - 1), packed(0, 0, PIXELS + 1)]) expect(portraitPixels(bad)).toBeNull();
});
