/**
 * Chooses the backend: the app's own node, a headless node named in the address, or, while developing, a made-up one.
 */
import type { Backend } from './backend';
import { CallFailure } from './backend';

export * from './backend';
export type * from './generated/bridge';

export async function chooseBackend(address: URL): Promise<Backend> {
  const wanted = address.searchParams.get('backend');
  if (import.meta.env.DEV && wanted === 'fake') {
    const { FakeBackend, scene } = await import('./fake');
    return new FakeBackend(scene(address.searchParams.get('scene') ?? 'library'));
  }
  if (wanted?.startsWith('ws://') || wanted?.startsWith('wss://')) {
    const { WebSocketBackend } = await import('./websocket');
    return new WebSocketBackend(wanted, address.searchParams.get('token') ?? '');
  }
  const { TauriBackend, runsInTauri } = await import('./tauri');
  if (runsInTauri()) return new TauriBackend();
  throw new CallFailure(
    'no_backend',
    'This page shows a running SynxSphere. Open the app, or name a node in the address: ?backend=ws://…&token=…',
  );
}
