/**
 * English, and with it the shape of every other catalogue: what is missing in one does not compile.
 */
import { common, counts, files, nav, start, time } from './common';
import { actions, columns, library, playlists } from './library';
import { calibration, music, output, playing } from './playing';
import { door, invites, people, roles, room } from './room';
import { collection, machine, network, privacy, settings, shortcuts } from './settings';
import { chat, history, notes, told, transfers } from './talk';
import { trouble } from './trouble';

export const en = {
  common, counts, files, nav, start, time, actions, columns, library, playlists, calibration, music, output, playing,
  door, invites, people, roles, room, collection, machine, network, privacy, settings, shortcuts, chat, history, notes, told, transfers, trouble,
};

export type Messages = typeof en;
