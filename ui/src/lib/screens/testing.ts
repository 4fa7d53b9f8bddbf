/** The window on a made-up node, for tests of what one sees and does. */
import { fireEvent, render, screen } from '@testing-library/svelte';
import { FakeBackend, scene, type Scene } from '../backend/fake';
import { Appearance } from '../state';
import Main from './Main.svelte';

export async function open(from: string | Scene): Promise<FakeBackend> {
  const backend = new FakeBackend(typeof from === 'string' ? scene(from) : from);
  const appearance = new Appearance(localStorage, matchMedia('(prefers-color-scheme: dark)'), matchMedia('(prefers-contrast: more)'));
  render(Main, { backend, appearance });
  await screen.findByRole(backend.app.profile.chosen ? 'navigation' : 'main');
  return backend;
}

export const get = (id: string) => screen.getByTestId(id);
export const all = (id: string) => screen.queryAllByTestId(id);
export const type = (id: string, value: string) => fireEvent.input(get(id), { target: { value } });
export const press = (id: string) => fireEvent.click(get(id));
