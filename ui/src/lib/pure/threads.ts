/**
 * Comments as conversations: each with its answers, in the order of the track.
 */
export interface Note {
  id: string;
  position_s: number;
  reply_to: string | null;
  posted_at_ms: number;
}

export interface Thread<T> {
  comment: T;
  answers: T[];
}

/** Answers stand under the comment that began it, also answers to answers. One whose beginning is gone begins anew. */
export function threads<T extends Note>(comments: T[]): Thread<T>[] {
  const byId = new Map(comments.map((comment) => [comment.id, comment]));
  const beginning = (comment: T): T => {
    let at = comment;
    // A comment answers an earlier one, so this ends; a bound keeps it so for any data.
    for (let step = 0; step < comments.length; step += 1) {
      const before = at.reply_to === null ? undefined : byId.get(at.reply_to);
      if (!before) break;
      at = before;
    }
    return at;
  };
  const found = new Map<string, Thread<T>>();
  for (const comment of comments) {
    const first = beginning(comment);
    const thread = found.get(first.id) ?? { comment: first, answers: [] };
    if (comment !== first) thread.answers.push(comment);
    found.set(first.id, thread);
  }
  const inTime = (a: T, b: T) => a.posted_at_ms - b.posted_at_ms;
  return [...found.values()]
    .map((thread) => ({ ...thread, answers: thread.answers.toSorted(inTime) }))
    .sort((a, b) => a.comment.position_s - b.comment.position_s);
}
