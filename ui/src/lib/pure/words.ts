/**
 * The node's sentences begin small, as they may follow a colon. Alone they begin large, unless with a path or a figure.
 */
export function sentence(text: string): string {
  const first = [...text.slice(0, 2)][0] ?? '';
  return first.toUpperCase() + text.slice(first.length);
}
