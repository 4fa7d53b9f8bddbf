import type { Messages } from '../en';
import { counted } from '../forms';

const count = counted('de');

export const common: Messages['common'] = {
  cancel: 'Abbrechen',
  close: 'Schließen',
  save: 'Speichern',
  create: 'Anlegen',
  delete: 'Löschen',
  name: 'Name',
  tryAgain: 'Noch einmal versuchen',
  copyDetails: 'Details kopieren',
  copied: 'Kopiert',
  couldNotCopy: 'Kopieren ging nicht',
  dismiss: 'Ausblenden',
  loading: 'Lädt',
  oneMoment: 'Einen Moment …',
  none: 'Keine',
  you: 'Du',
  somebody: 'Jemand',
  theHost: 'dem Host',
  unknownArtist: 'Unbekannter Interpret',
  unknownTrack: 'Unbekannter Track',
  untitled: 'Ohne Titel',
  notKnownYet: 'Noch nicht bekannt',
  systemsChoice: 'Wie das System',
  of: (part, whole) => `${part} von ${whole}`,
};

export const counts: Messages['counts'] = {
  tracks: (n) => count(n, { one: 'Track', other: 'Tracks' }),
  people: (n) => count(n, { one: 'Person', other: 'Personen' }),
  messages: (n) => count(n, { one: 'Nachricht', other: 'Nachrichten' }),
  newMessages: (n) => count(n, { one: 'neue Nachricht', other: 'neue Nachrichten' }),
  queueChanges: (n) => count(n, { one: 'Änderung der Warteschlange', other: 'Änderungen der Warteschlange' }),
  notes: (n) => count(n, { one: 'Notiz', other: 'Notizen' }),
  pastInvites: (n) => count(n, { one: 'frühere Einladung', other: 'frühere Einladungen' }),
};

export const time: Messages['time'] = {
  today: 'Heute',
  yesterday: 'Gestern',
  justNow: 'Gerade eben',
  minutesAgo: (n) => `vor ${n} Min.`,
  hoursAgo: (n) => `vor ${n} Std.`,
  daysAgo: (n) => `vor ${n} T.`,
};

export const start: Messages['start'] = {
  title: 'Zusammen hören',
  text: 'Musik auf euren eigenen Geräten, bei allen im selben Augenblick. Kein Konto, keine Anmeldung.',
  callYou: 'Wie sollen die anderen dich nennen?',
  yourName: 'Dein Name',
  go: 'Los',
  couldNotStart: 'SynxSphere konnte nicht starten',
  couldNotLoad: 'SynxSphere konnte nichts laden',
  nodeGone: 'Der Knoten antwortet nicht. Neuer Versuch …',
};

export const nav: Messages['nav'] = {
  places: 'Orte',
  library: 'Bibliothek',
  history: 'Gespielt',
  playlists: 'Playlists',
  nearby: 'In der Nähe',
  recent: 'Zuletzt',
  leaveFirst: 'Verlasse zuerst den Raum, in dem du bist',
  hostAsked: 'Der Host wird gefragt …',
  joining: 'Beitritt läuft …',
  opening: 'Wird geöffnet …',
  openAgain: 'Deiner: wieder öffnen',
  joinAgain: 'Wieder hinein',
  host: 'Raum öffnen',
  join: 'Per Link beitreten',
  you: (name) => `${name}: du und dieses Fenster`,
  settings: 'Einstellungen',
  playing: 'spielt',
};

export const files: Messages['files'] = {
  add: 'Hinzufügen',
  share: 'Teilen',
  addTitle: 'Musik hinzufügen',
  shareTitle: 'Dateien teilen',
  chooseFiles: 'Dateien wählen …',
  chooseFolder: 'Ordner wählen …',
  addByPath: 'Über den Pfad hinzufügen',
  shareByPath: 'Über den Pfad teilen',
  helpHere: 'Eine Datei oder ein Ordner. Oder zieh sie irgendwo in dieses Fenster.',
  helpThere: 'Eine Datei oder ein Ordner auf dem Rechner, auf dem der Knoten läuft.',
  watched: 'Beobachtete Ordner',
  unwatch: (path) => `${path} nicht mehr beobachten; die Dateien bleiben`,
  dropToShare: (room) => `Mit ${room} teilen`,
  dropToAdd: 'Zur Bibliothek hinzufügen',
};
