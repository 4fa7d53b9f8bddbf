/**
 * Every key of the window in one table: what is pressed, what it says in the list, what it does.
 */
import { t } from '../i18n';
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

/** In the language that is spoken now. */
export const shortcuts = (): { group: string; list: Shortcut[] }[] => [
  {
    group: t.shortcuts.playing,
    list: [
      { keys: [t.shortcuts.space], says: t.shortcuts.playPause, matches: plain(' '), run: (app) => app.playPause() },
      { keys: ['←'], says: t.shortcuts.back(NEAR_S), matches: plain('ArrowLeft'), run: seekBy(-NEAR_S) },
      { keys: ['→'], says: t.shortcuts.on(NEAR_S), matches: plain('ArrowRight'), run: seekBy(NEAR_S) },
      { keys: ['Shift', '←'], says: t.shortcuts.back(FAR_S), matches: shifted('ArrowLeft'), run: seekBy(-FAR_S) },
      { keys: ['Shift', '→'], says: t.shortcuts.on(FAR_S), matches: shifted('ArrowRight'), run: seekBy(FAR_S) },
      { keys: ['n'], says: t.shortcuts.next, matches: plain('n'), run: (app) => app.next() },
      { keys: ['p'], says: t.shortcuts.previous, matches: plain('p'), run: (app) => app.previous() },
      { keys: ['['], says: t.shortcuts.loopFrom, matches: (event) => event.key === '[', run: loopFrom },
      { keys: [']'], says: t.shortcuts.loopTo, matches: (event) => event.key === ']', run: loopTo },
      { keys: ['o'], says: t.shortcuts.loop, matches: plain('o'), run: (app) => app.toggleLoop() },
      { keys: ['Shift', t.shortcuts.drag], says: t.shortcuts.loopPart },
      { keys: ['m'], says: t.shortcuts.mute, matches: plain('m'), run: (app) => app.toggleMute() },
    ],
  },
  {
    group: t.shortcuts.looking,
    list: [
      { keys: ['/'], says: t.shortcuts.search, matches: (event) => event.key === '/', run: search },
      { keys: ['l'], says: t.shortcuts.library, matches: plain('l'), run: (app) => (app.window.screen = 'library') },
      { keys: ['r'], says: t.shortcuts.room, matches: plain('r'), run: (app) => app.room && (app.window.screen = 'room') },
      { keys: ['h'], says: t.shortcuts.history, matches: plain('h'), run: (app) => app.room && (app.window.screen = 'history') },
      { keys: ['Esc'], says: t.shortcuts.leaveHistory, matches: plain('Escape'), run: (app) => app.window.screen === 'history' && (app.window.screen = 'room') },
      { keys: ['+', '-'], says: t.shortcuts.zoom },
      { keys: ['0'], says: t.shortcuts.whole },
      { keys: ['?'], says: t.shortcuts.list, matches: (event) => event.key === '?', run: (app) => app.window.open({ type: 'shortcuts' }) },
    ],
  },
  {
    group: t.shortcuts.onATrack,
    list: [
      { keys: ['↑', '↓'], says: t.shortcuts.goThrough },
      { keys: ['Enter'], says: t.shortcuts.playOrShare },
      { keys: ['q'], says: t.shortcuts.queue },
      { keys: ['Shift', 'q'], says: t.shortcuts.playNext },
      { keys: ['a'], says: t.shortcuts.addToPlaylist },
      { keys: ['g'], says: t.shortcuts.matching },
      { keys: [t.shortcuts.del], says: t.shortcuts.takeOut },
      { keys: ['Alt', '↑', '↓'], says: t.shortcuts.moveInPlaylist },
      { keys: ['Shift', 'F10'], says: t.shortcuts.all },
    ],
  },
  {
    group: t.shortcuts.inTheSearch,
    list: [
      { keys: ['bpm:120-128'], says: t.shortcuts.tempoRange },
      { keys: ['key:8A,9A'], says: t.shortcuts.someKeys },
      { keys: ['energy:>6'], says: t.shortcuts.moreEnergy },
      { keys: ['artist:"mira holm"'], says: t.shortcuts.bySomebody },
      { keys: ['added:<7d'], says: t.shortcuts.withinWeek },
      { keys: ['year:1990-1999'], says: t.shortcuts.someYears },
      { keys: ['is:broken'], says: t.shortcuts.notUsable },
      { keys: ['-live'], says: t.shortcuts.without },
    ],
  },
  {
    group: t.shortcuts.inARoom,
    list: [
      { keys: ['c'], says: t.shortcuts.comment, matches: plain('c'), run: comment },
      { keys: ['t'], says: t.shortcuts.write, matches: plain('t'), run: talk },
      { keys: ['Alt', '↑', '↓'], says: t.shortcuts.moveEntry },
      { keys: ['v'], says: t.shortcuts.listenAlone },
      { keys: [t.shortcuts.del], says: t.shortcuts.takeEntryOut },
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
  const all = shortcuts().flatMap((group) => group.list);
  const found = all.find((shortcut) => shortcut.matches?.(event));
  if (!found?.run) return;
  event.preventDefault();
  found.run(app);
}
