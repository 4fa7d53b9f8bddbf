import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeBackend, scene } from '../backend/fake';
import { currentTrack, type CurrentTrack } from './current';
import { Picture } from './picture.svelte';

function given(track: string): { node: FakeBackend; picture: Picture; current: () => CurrentTrack } {
  const node = new FakeBackend(scene('library'));
  const current = () => currentTrack({ ...node.app.player, track }, null, node.tracks.find((one) => one.id === track) ?? null) as CurrentTrack;
  return { node, picture: new Picture(node), current };
}

const settle = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('the waveform of the current track', () => {
  it('is fetched whole, with its beats', async () => {
    const { picture, current } = given('t1');
    picture.show(current());
    expect(picture.state).toBe('loading');
    await settle();
    expect(picture.state).toBe('ready');
    expect(picture.whole?.to_s).toBe(296);
    expect(picture.analysis?.beats_s.length).toBeGreaterThan(500);
  });

  it('waits for the analysis, and appears as soon as a track is reported ready', async () => {
    const { node, picture, current } = given('t7');
    picture.show(current());
    await settle();
    expect(picture.state).toBe('loading');
    node.tracks = node.tracks.map((track) => (track.id === 't7' ? { ...track, availability: 'ready' } : track));
    picture.show(current());
    await settle();
    expect(picture.state).toBe('ready');
  });

  it('asks again by itself when nobody reports', async () => {
    const { node, picture, current } = given('t7');
    picture.show(current());
    await settle();
    node.tracks = node.tracks.map((track) => ({ ...track, availability: 'ready' }));
    await vi.advanceTimersByTimeAsync(2_000);
    expect(picture.state).toBe('ready');
  });

  it('never shows one track’s picture for another', async () => {
    const { node, picture, current } = given('t1');
    picture.show(current());
    picture.show(currentTrack({ ...node.app.player, track: 't2' }, null, node.tracks[1] ?? null));
    await settle();
    expect([picture.track, picture.whole?.to_s]).toEqual(['t2', 341]);
    picture.show(null);
    expect([picture.state, picture.whole]).toEqual(['empty', null]);
  });

  it('gets finer columns when zoomed, once for neighbouring views', async () => {
    const { node, picture, current } = given('t1');
    picture.show(current());
    await settle();
    const asked = () => node.requests.filter((request) => request.type === 'get_waveform').length;
    await picture.zoomTo({ fromS: 100, toS: 120 }, 296);
    expect(picture.detail).toMatchObject({ from_s: 80, to_s: 140 });
    await picture.zoomTo({ fromS: 110, toS: 130 }, 296);
    expect(asked()).toBe(2);
    await picture.zoomTo({ fromS: 200, toS: 220 }, 296);
    expect(asked()).toBe(3);
  });

  it('says why when it cannot be had', async () => {
    const { node, picture, current } = given('t1');
    const track = current();
    node.tracks = [];
    picture.show(track);
    await settle();
    expect([picture.state, picture.problem]).toEqual(['failed', 'This track is not in the library any more.']);
  });
});
