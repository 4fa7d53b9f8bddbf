import { describe, expect, it, vi } from 'vitest';
import { FakeBackend, scene } from '../backend/fake';
import { Covers } from './covers';

function asked(node: FakeBackend): number {
  return node.requests.filter((request) => request.type === 'get_picture').length;
}

describe('pictures', () => {
  it('are asked for once in each size, and none is an answer as well', async () => {
    const node = new FakeBackend(scene('library'));
    const covers = new Covers(node);
    expect(await covers.of('t1', false)).toMatch(/^data:/u);
    expect(await covers.of('t2', false)).toBeNull();
    await Promise.all([covers.of('t1', false), covers.of('t2', false), covers.of('t1', true)]);
    expect(asked(node)).toBe(3);
  });

  it('are asked for again after a failure, and when too many others were seen since', async () => {
    const node = new FakeBackend(scene('library'));
    const covers = new Covers(node);
    vi.spyOn(node, 'call').mockRejectedValueOnce(new Error('gone'));
    expect(await covers.of('t1', false)).toBeNull();
    expect(await covers.of('t1', false)).not.toBeNull();
    for (let n = 0; n < 400; n += 1) await covers.of(`x${n}`, false);
    const before = asked(node);
    await covers.of('t1', false);
    await covers.of('x399', false);
    expect(asked(node) - before).toBe(1);
  });
});
