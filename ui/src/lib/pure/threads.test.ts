import { expect, it } from 'vitest';
import { threads, type Note } from './threads';

const comment = (id: string, position: number, replyTo: string | null = null, at = 0): Note => ({ id, position_s: position, reply_to: replyTo, posted_at_ms: at });

it('puts answers, and answers to them, under the comment that began it', () => {
  const found = threads([comment('late', 90), comment('early', 10), comment('b', 90, 'a', 3), comment('a', 90, 'late', 2), comment('c', 10, 'early', 1)]);
  expect(found.map((thread) => [thread.comment.id, thread.answers.map((one) => one.id)])).toEqual([['early', ['c']], ['late', ['a', 'b']]]);
});

it('keeps what answers a comment that is gone, and survives a circle', () => {
  expect(threads([comment('lost', 1, 'gone')]).map((thread) => thread.comment.id)).toEqual(['lost']);
  expect(threads([comment('a', 1, 'b'), comment('b', 1, 'a')]).flatMap((thread) => [thread.comment, ...thread.answers])).toHaveLength(2);
});
