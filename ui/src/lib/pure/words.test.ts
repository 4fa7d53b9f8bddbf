import { expect, it } from 'vitest';
import { sentence } from './words';

it('begins a sentence large, and leaves what is none alone', () => {
  expect(sentence('the queue ended')).toBe('The queue ended');
  expect(sentence('ähnlich')).toBe('Ähnlich');
  for (const kept of ['/tmp/x is full', '“tide” is shared', '3 logs', '', '🎵 x']) expect(sentence(kept)).toBe(kept);
});
