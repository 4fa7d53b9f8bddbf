/**
 * One form's way to the node: busy while it is asked, and the reason when it was refused.
 */
import { CallFailure, type Backend, type Request } from '../backend';

export class Submission {
  busy = $state(false);
  failure = $state.raw<CallFailure | null>(null);

  constructor(private readonly backend: Backend) {}

  /** True once it is done. A second press while one is under way does nothing. */
  async send(...requests: Request[]): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.failure = null;
    try {
      for (const request of requests) await this.backend.call(request);
      return true;
    } catch (cause) {
      this.failure = CallFailure.from(cause);
      return false;
    } finally {
      this.busy = false;
    }
  }
}
