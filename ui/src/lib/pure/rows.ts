/**
 * Where the rows of a long list stand, when only those in sight are drawn: measured heights, and a guess for the rest.
 */
export class Rows {
  #heights = new Float64Array(0);
  /** Where each row begins; one more entry than rows, the last is the height of all. */
  #tops = new Float64Array(1);
  /** So many rows, and where the next begins, stand as they were last worked out. */
  #stand = 0;

  constructor(private readonly guessPx: number) {}

  get count(): number {
    return this.#heights.length;
  }

  get totalPx(): number {
    return this.topOf(this.count);
  }

  /** So many rows more above the first, and so many in all. */
  resize(above: number, count: number): void {
    const first = Math.min(Math.max(0, above), count);
    const kept = this.#heights.subarray(0, count - first);
    const heights = new Float64Array(count).fill(this.guessPx);
    heights.set(kept, first);
    this.#stand = first > 0 ? 0 : Math.min(this.#stand, kept.length);
    const tops = new Float64Array(count + 1);
    tops.set(this.#tops.subarray(0, this.#stand + 1));
    [this.#heights, this.#tops] = [heights, tops];
  }

  /** Takes a row's true height; tells by how much it differs from what was thought. */
  measure(index: number, px: number): number {
    const before = this.#heights[index];
    if (before === undefined || px <= 0 || before === px) return 0;
    this.#heights[index] = px;
    this.#stand = Math.min(this.#stand, index);
    return px - before;
  }

  topOf(index: number): number {
    this.#workOut();
    return this.#tops[Math.min(Math.max(0, index), this.count)] ?? 0;
  }

  /** The row at a height from the top. */
  at(px: number): number {
    this.#workOut();
    let [low, high] = [0, this.count - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#tops[middle] ?? 0) <= px) low = middle;
      else high = middle - 1;
    }
    return Math.max(0, low);
  }

  #workOut(): void {
    let top = this.#tops[this.#stand] ?? 0;
    for (; this.#stand < this.count; this.#stand += 1) {
      top += this.#heights[this.#stand] ?? 0;
      this.#tops[this.#stand + 1] = top;
    }
  }
}
