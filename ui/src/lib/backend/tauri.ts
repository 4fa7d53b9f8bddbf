/**
 * The node in this very process, reached through Tauri.
 */
import { Channel, invoke } from '@tauri-apps/api/core';
import { getCurrentWebview } from '@tauri-apps/api/webview';
import { open, save } from '@tauri-apps/plugin-dialog';
import { CallFailure, type Backend, type DropEvent, type FileAccess, type ResponseTo, type Unsubscribe } from './backend';
import type { NodeEvent, Request } from './generated/bridge';

/** What the file dialog offers first. The node itself decides what it can decode. */
const AUDIO_ENDINGS = ['mp3', 'flac', 'wav', 'aif', 'aiff', 'm4a', 'mp4', 'aac', 'ogg', 'oga', 'opus', 'caf'];
const PICTURE_ENDINGS = ['jpg', 'jpeg', 'png', 'webp', 'gif'];

const files: FileAccess = {
  async pick() {
    const chosen = await open({ multiple: true, filters: [{ name: 'Audio', extensions: AUDIO_ENDINGS }] });
    return chosen ?? [];
  },

  choosePlace(name: string) {
    return save({ defaultPath: name });
  },

  pickPicture() {
    return open({ filters: [{ name: 'JPEG, PNG, WebP, GIF', extensions: PICTURE_ENDINGS }] });
  },

  pickFolder() {
    return open({ directory: true });
  },

  onDrop(listener: (event: DropEvent) => void) {
    return getCurrentWebview().onDragDropEvent(({ payload }) => {
      if (payload.type === 'drop') listener({ type: 'drop', paths: payload.paths });
      else listener({ type: payload.type === 'leave' ? 'leave' : 'over' });
    });
  },
};

export class TauriBackend implements Backend {
  readonly files = files;

  async call<R extends Request>(request: R): Promise<ResponseTo<R>> {
    try {
      return await invoke<ResponseTo<R>>('call', { request });
    } catch (cause) {
      throw CallFailure.from(cause);
    }
  }

  async subscribe(listener: (event: NodeEvent) => void): Promise<Unsubscribe> {
    const channel = new Channel<NodeEvent>();
    channel.onmessage = listener;
    await invoke('subscribe', { channel });
    return () => {
      channel.onmessage = () => {};
    };
  }

  openLink(address: string): Promise<void> {
    return invoke('open_link', { address });
  }

  notify(title: string, body: string): Promise<void> {
    return invoke('notify', { title, body });
  }

  /** The node lives and dies with the window, so there is nothing to tell. */
  onStatus(): Unsubscribe {
    return () => {};
  }
}

export function runsInTauri(): boolean {
  return '__TAURI_INTERNALS__' in window;
}
