import { describe, expect, it } from 'vitest';
import { Latest } from './latest';

describe('the latest of a run', () => {
  it('is sent after the one under way, without those between', async () => {
    const sent: number[] = [];
    const answers: (() => void)[] = [];
    const latest = new Latest<number>((value) => {
      sent.push(value);
      return new Promise<void>((answer) => answers.push(answer));
    });
    const done = latest.set(1);
    for (const value of [2, 3, 4]) void latest.set(value);
    expect(sent).toEqual([1]);
    answers[0]?.();
    await expect.poll(() => sent).toEqual([1, 4]);
    expect(latest.wanted).toBe(4);
    answers[1]?.();
    await done;
    expect(latest.wanted).toBeNull();
  });
});
