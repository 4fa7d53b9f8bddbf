/**
 * A person's picture: bare pixels, so that there is nothing to decode in what a stranger sent.
 */

/** Along each edge. */
export const PORTRAIT_PX = 40;

/** As a canvas takes them; null for what is no picture. */
export function portraitPixels(base64: string): Uint8ClampedArray<ArrayBuffer> | null {
  let bytes: string;
  try {
    bytes = atob(base64);
  } catch {
    return null;
  }
  if (bytes.length !== 2 * PORTRAIT_PX * PORTRAIT_PX) return null;
  const pixels = new Uint8ClampedArray(4 * PORTRAIT_PX * PORTRAIT_PX);
  for (let at = 0; at < bytes.length; at += 2) {
    const packed = bytes.charCodeAt(at) | (bytes.charCodeAt(at + 1) << 8);
    // Five or six bits reach from nothing to all of eight.
    pixels.set([((packed >> 11) * 255) / 31, (((packed >> 5) & 63) * 255) / 63, ((packed & 31) * 255) / 31, 255], at * 2);
  }
  return pixels;
}
