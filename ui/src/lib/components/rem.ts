/**
 * How large the window's text is, in pixels: for what is placed by the pixel.
 */
export function remPx(): number {
  return parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;
}
