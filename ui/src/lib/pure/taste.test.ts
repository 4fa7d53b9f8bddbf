import { expect, it } from 'vitest';
import { fittingFirst } from './taste';

it('puts rooms first that have more of what one likes, and leaves the rest as it was', () => {
  const rooms = [{ name: 'a', genres: ['rock'] }, { name: 'b', genres: ['Dub'] }, { name: 'c', genres: [] }, { name: 'd', genres: ['dub', 'Ambiént'] }];
  expect(fittingFirst(rooms, ['dub', 'ambient']).map((room) => room.name)).toEqual(['d', 'b', 'a', 'c']);
  expect(fittingFirst(rooms, []).map((room) => room.name)).toEqual(['a', 'b', 'c', 'd']);
});
