/** What every catalogue is held to. That none lacks a text is for the compiler. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { de } from './de';
import { en } from './en';
import { figure, language, t } from './index';

/** Words that both languages share, and texts that are nothing but such. */
const SHARED = new Set([
  // Names of notations, whatever the language.
  'music.keyNames',
  // Units.
  'music.lufs', 'music.dbtp',
  'Name', 'Playlist', 'Playlists', 'Pause', 'Position', 'Album', 'BPM', 'Tempo', 'Camelot', 'Open Key', 'DJ', 'Host', 'Chat', 'Link', 'System', 'Tracks', 'Port', 'Firewall',
]);

/** Codes that the window gives itself. */
const WINDOWS_OWN = ['no_backend', 'node_unreachable'];

/** The node's own sentence says which value or filter, and what would do: nothing general takes its place. Or nobody sees it in a window. */
const SPECIFIC = new Set([
  'bad_value', 'bad_filter', 'bad_id', 'invalid', 'no_home', 'data_dir', 'data_dir_in_use', 'not_loopback', 'which_room', 'join_stopped', 'null', 'default', 'too_large',
  'bad_key_file', 'certificate', 'room_served', 'node_silent',
]);

type Leaf = [path: string, value: unknown];

function leaves(value: unknown, path = ''): Leaf[] {
  if (typeof value === 'string' || typeof value === 'function') return [[path, value]];
  return Object.entries(value as object).flatMap(([key, one]) => leaves(one, path ? `${path}.${key}` : key));
}

/** The source itself for what takes arguments: its texts are in it. */
const text = (value: unknown) => (typeof value === 'function' ? value.toString() : String(value));
const worded = (value: unknown) => /\p{L}{3}/u.test(text(value).replaceAll(/\$\{[^}]*\}|\(.*?\)\s*=>/gu, ''));

afterEach(() => language.speak('en'));

describe('German', () => {
  const inEnglish = new Map(leaves(en));
  const inGerman = leaves(de);

  test('says in its own words what English says', () => {
    const same = inGerman.filter(([path, value]) => worded(value) && text(value) === text(inEnglish.get(path)) && !SHARED.has(text(value)) && !SHARED.has(path));
    expect(same.map(([path]) => path)).toEqual([]);
  });

  test('leaves nothing empty', () => {
    expect(inGerman.filter(([, value]) => text(value).trim() === '').map(([path]) => path)).toEqual([]);
  });

  test('gives as many hints as English for everything that keeps one out of a room', () => {
    const counts = (of: Record<string, string[]>) => Object.fromEntries(Object.entries(of).map(([code, list]) => [code, list.length]));
    expect(counts(de.trouble.tries)).toEqual(counts(en.trouble.tries));
  });

  test('knows failures by codes that the node has', () => {
    const known = nodeCodes();
    expect(Object.keys(de.trouble.failures).filter((code) => !known.has(code) && !WINDOWS_OWN.includes(code))).toEqual([]);
  });

  test('has a sentence for every failure but those of one who keeps servers', () => {
    const missing = [...roomAndPersonCodes()].filter((code) => !Object.hasOwn(de.trouble.failures, code) && !SPECIFIC.has(code));
    expect(missing).toEqual([]);
  });
});

const CRATES = resolve(import.meta.dirname, '../../../../src-tauri');

function codesIn(folder: string): Set<string> {
  const sources = readdirSync(join(CRATES, folder), { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.rs'));
  const found = sources.flatMap((path) => [...readFileSync(join(CRATES, folder, path), 'utf8').matchAll(/"([a-z]+(?:_[a-z]+)*)"/gu)].map((match) => match[1] ?? ''));
  return new Set(found);
}

function nodeCodes(): Set<string> {
  return new Set([...codesIn('crates'), ...codesIn('src')]);
}

/** What `code()` of the errors of node, network and room gives. */
function roomAndPersonCodes(): Set<string> {
  const files = ['crates/synx-node/src/error.rs', 'crates/synx-net/src/error.rs', 'crates/synx-domain/src/command.rs'];
  const found = files.flatMap((path) => [...readFileSync(join(CRATES, path), 'utf8').matchAll(/=> "([a-z_]+)",/gu)].map((match) => match[1] ?? ''));
  return new Set(found);
}

describe('the language that is spoken', () => {
  test('is the one that is chosen, with its numbers', async () => {
    await language.speak('de');
    expect([language.id, t.common.cancel, figure(1234.5, 1), t.counts.tracks(1), t.counts.tracks(2000)]).toEqual(['de', 'Abbrechen', '1.234,5', '1 Track', '2.000 Tracks']);
    await language.speak('en');
    expect([language.id, t.common.cancel, figure(1234.5, 1), t.counts.tracks(1), t.counts.tracks(2000)]).toEqual(['en', 'Cancel', '1,234.5', '1 track', '2,000 tracks']);
  });

  test('is the last that was chosen, however long each takes to come', async () => {
    await Promise.all([language.speak('de'), language.speak('en')]);
    expect(language.id).toBe('en');
  });

  test('names keys as its musicians do', () => {
    expect(['Bb major', 'B minor', 'F# major', 'Eb minor'].map((name) => de.music.keyName(name))).toEqual(['B-Dur', 'h-Moll', 'Fis-Dur', 'es-Moll']);
  });
});
