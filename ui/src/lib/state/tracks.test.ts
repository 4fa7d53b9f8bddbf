import { describe, expect, it, vi } from 'vitest';
import type { Request, TrackView } from '../backend';
import { FakeBackend, scene } from '../backend/fake';
import { Tracks } from './tracks.svelte';

async function listed(name = 'many'): Promise<{ node: FakeBackend; tracks: Tracks }> {
  const node = new FakeBackend(scene(name));
  const tracks = new Tracks(node);
  await tracks.reload();
  return { node, tracks };
}

const asked = (node: FakeBackend) => node.requests.filter((request): request is Extract<Request, { type: 'list_tracks' }> => request.type === 'list_tracks');

describe('a list of a hundred thousand tracks', () => {
  it('is here only in part, and the rest comes as it is seen', async () => {
    const { node, tracks } = await listed();
    expect([tracks.total, tracks.row(0)?.id, tracks.row(50_000)]).toEqual([100_000, 'm0', undefined]);
    tracks.see(49_990, 50_030);
    await expect.poll(() => tracks.row(50_000)?.id).toBe('m50000');
    expect(asked(node).map((request) => [request.from, request.count])).toEqual([[0, 100], [49_900, 100], [50_000, 100]]);
    tracks.see(50_000, 50_040);
    expect(asked(node)).toHaveLength(3);
  });

  it('forgets what is far away', async () => {
    const { tracks } = await listed();
    for (let page = 1; page <= 30; page += 1) {
      tracks.see(page * 100, page * 100 + 20);
      await expect.poll(() => tracks.row(page * 100)).toBeTruthy();
    }
    expect(tracks.row(0)).toBeUndefined();
    expect(tracks.row(2_900)?.id).toBe('m2900');
  });

  it('asks for the newest of what is typed, and not for all between', async () => {
    const { node, tracks } = await listed('library');
    const before = asked(node).length;
    await Promise.all(['n', 'no', 'nor', 'north', 'northwater'].map((search) => tracks.want({ search })));
    expect(asked(node).slice(before).map((request) => request.search)).toEqual(['n', 'northwater']);
    expect(tracks.total).toBe(2);
  });

  it('keeps what was there when a filter means nothing, and says why', async () => {
    const { tracks } = await listed('library');
    await tracks.want({ search: 'bmp:120' });
    expect([tracks.failure?.code, tracks.total, tracks.phase]).toEqual(['bad_filter', 10, 'ready']);
    await tracks.want({ search: 'nrothwater' });
    expect([tracks.failure, tracks.readAs[0]?.instead]).toEqual([null, ['northwater']]);
  });

  it('shows a changed track where it is, and the list anew when the library changed', async () => {
    const { node, tracks } = await listed('library');
    tracks.change({ ...(tracks.row(6) as TrackView), progress: 0.9 });
    expect(tracks.row(6)?.progress).toBe(0.9);
    node.tracks = node.tracks.slice(1);
    await tracks.reload();
    expect([tracks.total, tracks.row(0)?.id]).toEqual([9, 't2']);
  });

  it('says why when there is none at all', async () => {
    const node = new FakeBackend(scene('library'));
    vi.spyOn(node, 'call').mockRejectedValue({ code: 'library', message: 'The library cannot be read.' });
    const tracks = new Tracks(node);
    await tracks.reload();
    expect([tracks.phase, tracks.failure?.message]).toEqual(['failed', 'The library cannot be read.']);
  });
});
