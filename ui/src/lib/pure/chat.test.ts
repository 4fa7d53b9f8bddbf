import { describe, expect, it } from 'vitest';
import { completions, isEmojiOnly, lineAt, mentions, merge, partsOf, unreadCount } from './chat';
import { matchingWords, readAhead } from './search';

const say = (seq: number, author = 'a', at = new Date(2026, 2, 14, 19, 0)) => ({ seq, author, posted_at_ms: at.getTime() });

describe('a conversation', () => {
  it('names each day once and an author once a run', () => {
    const now = new Date(2026, 2, 14, 20, 0).getTime();
    const messages = [
      say(1, 'a', new Date(2026, 2, 13, 19, 0)), say(2, 'a', new Date(2026, 2, 14, 19, 0)), say(3, 'a', new Date(2026, 2, 14, 19, 1)),
      say(4, 'b', new Date(2026, 2, 14, 19, 2)), say(5, 'b', new Date(2026, 2, 14, 19, 30)),
    ];
    const lines = messages.map((_, index) => lineAt(messages, index, now));
    expect(lines.map((line) => line?.day)).toEqual(['Yesterday', 'Today', null, null, null]);
    expect(lines.map((line) => line?.head)).toEqual([true, true, false, true, true]);
    expect(lineAt(messages, 5, now)).toBeNull();
  });

  it('holds each message once and in order, whichever way it came', () => {
    const seqs = (list: { seq: number }[]) => list.map((message) => message.seq);
    expect(seqs(merge([say(3), say(4)], [say(5), say(6)]))).toEqual([3, 4, 5, 6]);
    expect(seqs(merge([say(3), say(4)], [say(1), say(3), say(5)]))).toEqual([1, 3, 4, 5]);
    expect(seqs(merge([], [say(2)]))).toEqual([2]);
    const known = [say(1)];
    expect(merge(known, [])).toBe(known);
  });

  it('counts what others said since', () => {
    expect(unreadCount([say(1), say(2, 'me'), say(3), say(4)], 1, 'me')).toBe(2);
    expect(unreadCount([], 0, null)).toBe(0);
  });
});

describe('a message', () => {
  const kinds = (text: string, names: string[] = []) => partsOf(text, names).map((part) => [part.kind, part.text]);

  it('leads to moments of the track', () => {
    expect(partsOf('at 1:23, or 1:02:03?')).toEqual([
      { kind: 'text', text: 'at ' }, { kind: 'moment', text: '1:23', seconds: 83 }, { kind: 'text', text: ', or ' },
      { kind: 'moment', text: '1:02:03', seconds: 3_723 }, { kind: 'text', text: '?' },
    ]);
    expect(kinds('ratio 16:9 and 1:99')).toEqual([['text', 'ratio 16:9 and 1:99']]);
    expect(partsOf('')).toEqual([]);
  });

  it('leads to web addresses and to nothing else', () => {
    expect(partsOf('see https://a.example/x?t=1:23, ok')[1]).toEqual({ kind: 'link', text: 'https://a.example/x?t=1:23', address: 'https://a.example/x?t=1:23' });
    expect(kinds('(http://a.example/b).')).toEqual([['text', '('], ['link', 'http://a.example/b'], ['text', ').']]);
    expect(kinds('https://en.example/wiki/C_(note)')).toEqual([['link', 'https://en.example/wiki/C_(note)']]);
    for (const text of ['javascript:alert(1)', 'file:///etc/passwd', 'data:text/html,x', 'https://', 'www.example.org']) {
      expect(kinds(text).every(([kind]) => kind === 'text')).toBe(true);
    }
    // Letters that look like others are shown for what they are.
    expect(partsOf('https://аpple.example/')[0]).toMatchObject({ address: 'https://xn--pple-43d.example/' });
  });

  it('names people who are here, the longer name first', () => {
    const names = ['Ana', 'Ana Lucia', 'O.B', 'Jo-(1)/{2}'];
    expect(kinds('hi @ana lucia and @Ana!', names)).toEqual([['text', 'hi '], ['mention', '@ana lucia'], ['text', ' and '], ['mention', '@Ana'], ['text', '!']]);
    expect(kinds('@jo-(1)/{2}', names)).toEqual([['mention', '@jo-(1)/{2}']]);
    expect(kinds('a@Ana @Anastasia @OxB', names)).toEqual([['text', 'a@Ana @Anastasia @OxB']]);
    expect(mentions('@ANA?', 'Ana', names)).toBe(true);
    expect(mentions('Ana', 'Ana', names)).toBe(false);
  });

  it('loses no text, whatever it is', () => {
    for (const text of ['1:23https://a.example)@Ana', '::@@@ 9:99:99', 'http://[bad 1:00 http://x.example.', '🔥@Ana\n1:00']) {
      expect(partsOf(text, ['Ana']).map((part) => part.text).join('')).toBe(text);
    }
  });

  it('is shown larger when it is a few emoji', () => {
    expect(['🔥', '👍🏽 🎧', '❤️', '👩‍🎤'].map(isEmojiOnly)).toEqual([true, true, true, true]);
    expect(['ok 🔥', '', '12', '🔥🔥🔥🔥'].map(isEmojiOnly)).toEqual([false, false, false, false]);
  });
});

it('completes people and emoji where one writes', () => {
  expect(completions('hi @be', 6, ['Ben', 'Cy'])).toEqual([{ label: '@Ben', text: '@Ben ', from: 3 }]);
  expect(completions('@', 1, ['Ben', 'Cy'])).toHaveLength(2);
  expect(completions('so :fi', 6, [])[0]).toMatchObject({ text: '🔥 ', from: 3 });
  expect(completions('at 1:23', 7, ['Ben'])).toEqual([]);
  expect(completions('mail a@be', 9, ['Ben'])).toEqual([]);
});

it('finds words whatever their case and accents', () => {
  const list = [{ text: 'Café del Mar' }, { text: 'tide' }];
  expect(matchingWords(list, 'CAFE mar', (one) => one.text)).toEqual([list[0]]);
  expect(matchingWords(list, '', (one) => one.text)).toHaveLength(2);
});

it('looks at a text that was read ahead no more', async () => {
  const list = Array.from({ length: 5_000 }, (_, index) => ({ text: `Line ${index}` }));
  await readAhead(list, (one) => one.text);
  const looked: unknown[] = [];
  const found = matchingWords(list, 'line 4999', (one) => (looked.push(one), one.text));
  expect([found, looked]).toEqual([[list[4_999]], []]);
});
