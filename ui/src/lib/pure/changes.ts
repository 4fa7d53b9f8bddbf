/**
 * What is different between two looks at a room that somebody may want to be told of.
 */
interface Person {
  user: string;
  name: string;
  present: boolean;
}

interface Asking {
  user: string;
  name: string;
}

interface Analysed {
  id: string;
  title: string;
  energy: number | null;
}

/** Names of those who came in; oneself needs no telling. */
export function arrivals(before: { members: Person[] }, now: { members: Person[]; me: string }): string[] {
  const there = new Set(present(before.members).map((member) => member.user));
  return present(now.members).filter((member) => !there.has(member.user) && member.user !== now.me).map((member) => member.name);
}

/** Names of those who ask to come in from now on. */
export function knocking(before: { knocks: Asking[] }, now: { knocks: Asking[] }): string[] {
  const asked = new Set(before.knocks.map((knock) => knock.user));
  return now.knocks.filter((knock) => !asked.has(knock.user)).map((knock) => knock.name);
}

/** Tracks of which everything is known from now on. */
export function finishedAnalyses(before: { tracks: Analysed[] }, now: { tracks: Analysed[] }): Analysed[] {
  const known = new Set(before.tracks.filter((track) => track.energy !== null).map((track) => track.id));
  return now.tracks.filter((track) => track.energy !== null && !known.has(track.id));
}

function present(members: Person[]): Person[] {
  return members.filter((member) => member.present);
}
