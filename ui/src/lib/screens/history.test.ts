import { fireEvent, screen } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import { all, get, open, press } from './testing';

beforeEach(() => localStorage.clear());

const look = async () => {
  const node = await open('room');
  await press('history-open');
  await expect.poll(() => all('history-entry').length).toBe(100);
  return node;
};

describe('the history', () => {
  it('lists what happened, newest first, by kind, and more as one asks', async () => {
    const node = await look();
    expect(all('history-entry')[0]?.textContent).toContain('notes 250');
    await fireEvent.click(screen.getByText('Earlier'));
    await expect.poll(() => all('history-entry').length).toBe(200);
    await fireEvent.click(get('history-chat'));
    await expect.poll(() => all('history-entry').length).toBe(42);
    expect(new Set(all('history-entry').map((entry) => entry.dataset.kind))).toEqual(new Set(['chat']));
    expect(node.last('get_log')?.kinds).toEqual(['chat']);
    expect(screen.queryByText('Earlier')).toBeNull();
  });

  it('shows the room as it was at any moment, and as one left it', async () => {
    const node = await look();
    await fireEvent.input(get('history-slider'), { target: { value: '83' } });
    await expect.poll(() => all('past-room')[0]?.dataset.seq).toBe('83');
    expect(get('past-room').textContent).toContain('Playing: Paper Lantern at 1:23');
    expect(get('history-away').textContent).toContain('3 messages, 1 change of the queue');
    await fireEvent.click(screen.getByText('Show the room as you left it'));
    await expect.poll(() => all('past-room')[0]?.dataset.seq).toBe('10');
    await press('history-now');
    expect(all('past-room')).toEqual([]);
    expect(node.requests.filter((request) => request.type === 'get_moment')).toHaveLength(2);
  });

  it('is saved where one chooses', async () => {
    const node = await look();
    await press('history-export');
    await press('export-jsonl');
    await expect.poll(() => node.last('export_log')).toEqual({ type: 'export_log', format: 'jsonl', path: '/home/ana/Friday listening.jsonl' });
    expect((await screen.findByTestId('notice')).textContent).toContain('Saved as /home/ana/Friday listening.jsonl');
  });

  it('is left for the room', async () => {
    await look();
    await press('history-close');
    expect(get('room-name')).toBeTruthy();
  });

  it('is left by Escape, as its button says, once what floats over it is closed', async () => {
    await look();
    expect(get('history-close').title).toContain('(Esc)');
    const escape = () => fireEvent.keyDown(document.activeElement ?? document.body, { key: 'Escape' });
    get('history-export').focus();
    await press('history-export');
    await escape();
    expect(all('export-jsonl')).toEqual([]);
    expect(get('history-close')).toBeTruthy();
    await escape();
    expect(get('room-name')).toBeTruthy();
  });
});
