/**
 * Where the rows of a long list stand, when only those in sight are drawn: measured heights, and a guess for the rest.
 */
export class Rows {
  #heights: number[] = [];
  /** Where each row begins; one more entry than rows, the last is the height of all. */
  #tops = new Float64Array(1);
  #stale = false;

  constructor(private readonly guessPx: number) {}

  get count(): number {
    return this.#heights.length;
  }

  get totalPx(): number {
    return this.topOf(this.count);
  }

  /** So many rows more above the first, and so many in all. */
  resize(above: number, count: number): void {
    const guessed = (length: number) => Array.from({ length: Math.max(0, length) }, () => this.guessPx);
    const kept = above > 0 ? [...guessed(above), ...this.#heights] : this.#heights;
    this.#heights = kept.length > count ? kept.slice(0, count) : [...kept, ...guessed(count - kept.length)];
    this.#stale = true;
  }

  /** Takes a row's true height; tells by how much it differs from what was thought. */
  measure(index: number, px: number): number {
    const before = this.#heights[index];
    if (before === undefined || px <= 0 || before === px) return 0;
    this.#heights[index] = px;
    this.#stale = true;
    return px - before;
  }

  topOf(index: number): number {
    this.#refresh();
    return this.#tops[Math.min(Math.max(0, index), this.count)] ?? 0;
  }

  /** The row at a height from the top. */
  at(px: number): number {
    this.#refresh();
    let [low, high] = [0, this.count - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#tops[middle] ?? 0) <= px) low = middle;
      else high = middle - 1;
    }
    return Math.max(0, low);
  }

  #refresh(): void {
    if (!this.#stale) return;
    this.#stale = false;
    const tops = new Float64Array(this.count + 1);
    let top = 0;
    for (const [index, height] of this.#heights.entries()) {
      tops[index] = top;
      top += height;
    }
    tops[this.count] = top;
    this.#tops = tops;
  }
}
