import { expect, it } from 'vitest';
import { fullStop, problemText, sentence } from './words';

it('begins a sentence large, and leaves what is none alone', () => {
  expect(sentence('the queue ended')).toBe('The queue ended');
  expect(sentence('ähnlich')).toBe('Ähnlich');
  for (const kept of ['/tmp/x is full', '“tide” is shared', '3 logs', '', '🎵 x']) expect(sentence(kept)).toBe(kept);
});

it('ends a sentence that another one stands beside', () => {
  expect(['The host closed the room', 'Geschlossen.', 'Who?'].map(fullStop)).toEqual(['The host closed the room.', 'Geschlossen.', 'Who?']);
});

it('says why a file cannot be used without naming it', () => {
  const damaged = { code: 'broken_track', message: '/m/a.mp3 is damaged: it ends too early' };
  expect(problemText(damaged, '/m/a.mp3')).toBe('This file is damaged: it ends too early');
  const unread = { code: 'file', message: 'cannot read "/m/a.mp3": permission denied' };
  expect(problemText(unread, '/m/a.mp3')).toBe('Cannot read this file: permission denied');
});
