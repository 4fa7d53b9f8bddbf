/**
 * Waveform and beat grid of the current track: the whole coarsely, and what is zoomed into finely.
 */
import type { AnalysisView, Backend, WaveformView } from '../backend';
import { CallFailure } from '../backend';
import type { CurrentTrack } from './current';
import { isZoomed, span, type View } from '../pure/timeline';
import { failureText } from '../pure/words';

export type PictureState = 'empty' | 'loading' | 'ready' | 'failed';

const WHOLE_COLUMNS = 2_400;
const DETAIL_COLUMNS = 4_800;
/** Analysis reports its end by an event; asking again covers a track that becomes ready without one. */
const ASK_AGAIN_MS = 1_500;

export class Picture {
  state = $state<PictureState>('empty');
  track = $state<string | null>(null);
  whole = $state.raw<WaveformView | null>(null);
  detail = $state.raw<WaveformView | null>(null);
  analysis = $state.raw<AnalysisView | null>(null);
  problem = $state<string | null>(null);

  #stage = '';
  #timer: ReturnType<typeof setTimeout> | undefined;
  #wantedDetail: View | null = null;
  #current: CurrentTrack | null = null;

  constructor(private readonly backend: Backend) {}

  show(current: CurrentTrack | null): void {
    this.#current = current;
    if (current?.id !== this.track) this.#reset(current);
    if (!current || (current.stage === this.#stage && this.state !== 'empty')) return;
    this.#stage = current.stage;
    void this.#load();
  }

  /** Fetches columns for a zoomed view, a little wider than it, so that panning finds them there. */
  async zoomTo(view: View, durationS: number): Promise<void> {
    const track = this.track;
    if (track === null || this.state !== 'ready' || !isZoomed(view, durationS)) return;
    const { detail } = this;
    const fits = detail && detail.from_s <= view.fromS && detail.to_s >= view.toS && detail.to_s - detail.from_s < span(view) * 6;
    if (fits) return;
    const margin = span(view);
    const wanted = { fromS: Math.max(0, view.fromS - margin), toS: Math.min(durationS, view.toS + margin) };
    this.#wantedDetail = wanted;
    try {
      const waveform = await this.#waveform(track, DETAIL_COLUMNS, wanted.fromS, wanted.toS);
      if (this.track === track && this.#wantedDetail === wanted) this.detail = waveform;
    } catch {
      // The coarse picture stays: it is right, only less sharp.
    }
  }

  #reset(current: CurrentTrack | null): void {
    clearTimeout(this.#timer);
    this.track = current?.id ?? null;
    this.state = 'empty';
    this.whole = this.detail = this.analysis = null;
    this.problem = null;
    this.#stage = '';
  }

  async #load(): Promise<void> {
    const current = this.#current;
    if (!current) return;
    clearTimeout(this.#timer);
    if (!this.whole) this.state = 'loading';
    // How long it is comes with its next stage.
    if (current.durationS <= 0) return;
    try {
      const waveform = await this.#waveform(current.id, WHOLE_COLUMNS, 0, current.durationS);
      if (this.track !== current.id) return;
      this.whole = waveform;
      this.state = 'ready';
      this.problem = null;
    } catch (cause) {
      this.#failed(current.id, CallFailure.from(cause));
      return;
    }
    await this.#loadAnalysis(current.id);
  }

  #failed(track: string, failure: CallFailure): void {
    if (this.track !== track) return;
    if (failure.code === 'not_ready') {
      this.#timer = setTimeout(() => void this.#load(), ASK_AGAIN_MS);
      return;
    }
    this.state = 'failed';
    this.problem = failureText(failure);
  }

  async #loadAnalysis(track: string): Promise<void> {
    try {
      const { analysis } = await this.backend.call({ type: 'get_analysis', track });
      if (this.track === track) this.analysis = analysis;
    } catch (cause) {
      this.#failed(track, CallFailure.from(cause));
      // The waveform is there and stays, whatever became of the rest.
      if (this.track === track && this.whole) this.state = 'ready';
    }
  }

  async #waveform(track: string, columns: number, fromS: number, toS: number): Promise<WaveformView> {
    const { waveform } = await this.backend.call({ type: 'get_waveform', track, columns, from_s: fromS, to_s: toS });
    return waveform;
  }
}
