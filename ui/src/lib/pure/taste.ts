/**
 * Which rooms nearby fit what somebody likes.
 */
import { plain } from './search';

interface Kind {
  genres: string[];
}

/** Rooms with more of the liked genres come first; the others keep their order. */
export function fittingFirst<T extends Kind>(rooms: T[], liked: string[]): T[] {
  const wanted = new Set(liked.map(plain));
  const fits = (room: Kind) => room.genres.filter((genre) => wanted.has(plain(genre))).length;
  return rooms.toSorted((a, b) => fits(b) - fits(a));
}
