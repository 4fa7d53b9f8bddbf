/**
 * Every key of the window in one table: what is pressed, what it says in the list, what it does.
 */
import { beginAt, endAt } from '../pure/loop';
import type { App } from './app.svelte';

export interface Shortcut {
  /** As shown. */
  keys: string[];
  says: string;
  matches?: (event: KeyboardEvent) => boolean;
  run?: (app: App) => void;
}

const plain = (key: string) => (event: KeyboardEvent) => event.key === key && !event.shiftKey;
const shifted = (key: string) => (event: KeyboardEvent) => event.key === key && event.shiftKey;

const NEAR_S = 5;
const FAR_S = 30;

const seekBy = (seconds: number) => (app: App) => app.seek(app.playhead.positionS + seconds);

export const SHORTCUTS: { group: string; list: Shortcut[] }[] = [
  {
    group: 'Playing',
    list: [
      { keys: ['Space'], says: 'Play or pause', matches: plain(' '), run: (app) => app.playPause() },
      { keys: ['←'], says: `Back ${NEAR_S} seconds`, matches: plain('ArrowLeft'), run: seekBy(-NEAR_S) },
      { keys: ['→'], says: `On ${NEAR_S} seconds`, matches: plain('ArrowRight'), run: seekBy(NEAR_S) },
      { keys: ['Shift', '←'], says: `Back ${FAR_S} seconds`, matches: shifted('ArrowLeft'), run: seekBy(-FAR_S) },
      { keys: ['Shift', '→'], says: `On ${FAR_S} seconds`, matches: shifted('ArrowRight'), run: seekBy(FAR_S) },
      { keys: ['n'], says: 'Next track', matches: plain('n'), run: (app) => app.next() },
      { keys: ['p'], says: 'Start of the track, or the one before', matches: plain('p'), run: (app) => app.previous() },
      { keys: ['['], says: 'Repeat from here', matches: (event) => event.key === '[', run: loopFrom },
      { keys: [']'], says: 'Repeat up to here', matches: (event) => event.key === ']', run: loopTo },
      { keys: ['o'], says: 'Repeat the track, or nothing', matches: plain('o'), run: (app) => app.toggleLoop() },
      { keys: ['Shift', 'drag'], says: 'Repeat a part of the waveform' },
      { keys: ['m'], says: 'Mute this machine', matches: plain('m'), run: (app) => app.toggleMute() },
    ],
  },
  {
    group: 'Looking',
    list: [
      { keys: ['/'], says: 'Search the library', matches: (event) => event.key === '/', run: search },
      { keys: ['l'], says: 'Library', matches: plain('l'), run: (app) => (app.window.screen = 'library') },
      { keys: ['r'], says: 'Room', matches: plain('r'), run: (app) => app.room && (app.window.screen = 'room') },
      { keys: ['h'], says: 'History of the room', matches: plain('h'), run: (app) => app.room && (app.window.screen = 'history') },
      { keys: ['+', '-'], says: 'Zoom the waveform' },
      { keys: ['0'], says: 'Show the whole track' },
      { keys: ['?'], says: 'This list', matches: (event) => event.key === '?', run: (app) => app.window.open({ type: 'shortcuts' }) },
    ],
  },
  {
    group: 'On a track of the library',
    list: [
      { keys: ['↑', '↓'], says: 'Go through the list' },
      { keys: ['Enter'], says: 'Play it, or share it in a room' },
      { keys: ['q'], says: 'Add it to the queue' },
      { keys: ['Shift', 'q'], says: 'Play it next' },
      { keys: ['a'], says: 'Add it to a playlist' },
      { keys: ['g'], says: 'What goes well with it' },
      { keys: ['Delete'], says: 'Take it out of the list' },
      { keys: ['Alt', '↑', '↓'], says: 'Move it in a playlist' },
      { keys: ['Shift', 'F10'], says: 'All that can be done with it' },
    ],
  },
  {
    group: 'In the search',
    list: [
      { keys: ['bpm:120-128'], says: 'A tempo in a range' },
      { keys: ['key:8A,9A'], says: 'One of some keys' },
      { keys: ['energy:>6'], says: 'More energy than that' },
      { keys: ['artist:"mira holm"'], says: 'By somebody; so too title, album, file' },
      { keys: ['added:<7d'], says: 'Added within a week; so too played' },
      { keys: ['year:1990-1999'], says: 'From some years; so too time, loudness, plays' },
      { keys: ['is:broken'], says: 'Not usable; or missing, corrected, waiting' },
      { keys: ['-live'], says: 'Without a word' },
    ],
  },
  {
    group: 'In a room',
    list: [
      { keys: ['c'], says: 'Comment on this moment', matches: plain('c'), run: comment },
      { keys: ['t'], says: 'Write a message', matches: plain('t'), run: talk },
      { keys: ['Alt', '↑', '↓'], says: 'Move the chosen queue entry' },
      { keys: ['Delete'], says: 'Take the chosen entry out' },
    ],
  },
];

function loopFrom(app: App): void {
  const { current, player } = app;
  if (current && player) app.setLoop(beginAt(player.loop_region, app.playhead.positionS, current.durationS));
}

function loopTo(app: App): void {
  const { current, player } = app;
  if (current && player) app.setLoop(endAt(player.loop_region, app.playhead.positionS, current.durationS));
}

function search(app: App): void {
  app.window.screen = 'library';
  focusSoon('[data-testid=library-filter]');
}

function comment(app: App): void {
  if (app.room && app.current) app.window.commentAtS = app.playhead.positionS;
}

function talk(app: App): void {
  if (!app.room) return;
  app.window.screen = 'room';
  app.window.sideOpen = true;
  app.window.sideTab = 'chat';
  focusSoon('[data-testid=chat-input]');
}

/** Once the screen it is on has been drawn. */
function focusSoon(selector: string): void {
  requestAnimationFrame(() => document.querySelector<HTMLElement>(selector)?.focus());
}

/** Where keys have a meaning of their own. */
const TYPING = 'input:not([type=range]), textarea, select, [contenteditable]';
const PRESSING = 'button, a, summary, label, [role=tab]';

export function press(event: KeyboardEvent, app: App): void {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || app.window.dialog || !app.profile?.chosen) return;
  const target = event.target instanceof Element ? event.target : null;
  if (target?.closest(TYPING)) return;
  // A slider moves by the arrows, whatever they do elsewhere.
  if (event.key.startsWith('Arrow') && target?.closest('input[type=range]')) return;
  if (event.key === ' ' && target?.closest(PRESSING)) return;
  const all = SHORTCUTS.flatMap((group) => group.list);
  const found = all.find((shortcut) => shortcut.matches?.(event));
  if (!found?.run) return;
  event.preventDefault();
  found.run(app);
}
