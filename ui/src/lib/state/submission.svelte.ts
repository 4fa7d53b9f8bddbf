/**
 * One form's way to the node: busy while it is asked, and the reason when it was refused.
 */
import { CallFailure, type Backend, type Request, type ResponseTo } from '../backend';

export class Submission {
  busy = $state(false);
  failure = $state.raw<CallFailure | null>(null);

  constructor(private readonly backend: Backend) {}

  /** True once all of it is done. */
  async send(...requests: Request[]): Promise<boolean> {
    const done = await this.#once(async () => {
      for (const request of requests) await this.backend.call(request);
      return true;
    });
    return done ?? false;
  }

  /** The answer; null when there is none. */
  get<R extends Request>(request: R): Promise<ResponseTo<R> | null> {
    return this.#once(() => this.backend.call(request));
  }

  /** A second press while one is under way does nothing. */
  async #once<T>(work: () => Promise<T>): Promise<T | null> {
    if (this.busy) return null;
    this.busy = true;
    this.failure = null;
    try {
      return await work();
    } catch (cause) {
      this.failure = CallFailure.from(cause);
      return null;
    } finally {
      this.busy = false;
    }
  }
}
