import { describe, expect, it } from 'vitest';
import type { RoomView } from '../backend';
import { scene } from '../backend/fake';
import { awaitedText } from './awaited';

const { room, sync } = scene('room').app;
const lacking = (...users: string[]) => sync.map((peer) => ({ ...peer, has_track: !users.includes(peer.user) }));

describe('who is waited for', () => {
  it('is named, oneself as you', () => {
    expect(awaitedText(room, lacking('user-0'))).toBe('Waiting for Ben');
    expect(awaitedText(room, lacking('user-0', 'user-1'))).toBe('Waiting for Ben and Cy');
    expect(awaitedText(room, lacking(room?.me ?? ''))).toBe('Waiting for you');
  });

  it('is counted where there are many', () => {
    const crowd = scene('room50').app;
    const none = crowd.sync.map((peer) => ({ ...peer, has_track: false }));
    expect(awaitedText(crowd.room, none)).toMatch(/^Waiting for \d+ people$/u);
  });

  it('is nobody who has left', () => {
    const left = { ...room, members: room?.members.map((member) => ({ ...member, present: member.user !== 'user-0' })) } as RoomView;
    expect(awaitedText(left, lacking('user-0'))).toBe('Waiting for everyone');
  });
});
