/**
 * What one said and is not in the room yet: shown as on its way, and kept over a lost connection.
 */
export class Unsent {
  list = $state.raw<{ id: number; text: string }[]>([]);
  #next = 1;

  constructor(private readonly send: (text: string) => Promise<unknown>) {}

  /** False when it could not be said. */
  async say(text: string): Promise<boolean> {
    const one = { id: this.#next++, text };
    this.list = [...this.list, one];
    const done = await this.send(text);
    this.list = this.list.filter((other) => other !== one);
    return done !== null;
  }
}
