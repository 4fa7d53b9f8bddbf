import type { Messages } from '../en';
import { figure } from '../language.svelte';

export const chat: Messages['chat'] = {
  title: 'Chat',
  search: 'Gesagtes durchsuchen',
  endSearch: 'Suche beenden',
  found: (n) => `${figure(n)} gefunden`,
  nobodySaidThat: 'Das hat niemand gesagt.',
  nothingSaid: 'Noch hat niemand etwas gesagt.',
  onItsWay: 'unterwegs',
  hint: 'Sag etwas',
  message: 'Nachricht',
  send: 'Senden (Enter)',
  complete: 'Ergänzen',
  new: 'Neu',
  goTo: (moment) => `Zu ${moment} springen`,
};

export const notes: Messages['notes'] = {
  title: 'Notizen',
  at: (moment) => `Bei ${moment}`,
  fromTo: (from, to) => `${from} bis ${to}`,
  hint: 'Was hörst du hier?',
  onlyMoment: 'Nur dieser Moment',
  repeatedPart: 'Der wiederholte Teil',
  comment: 'Kommentieren',
  answer: 'Antworten',
  answerTo: (name) => `${name} antworten`,
  sendAnswer: 'Antwort senden',
  done: 'Erledigt',
  notDone: 'Doch nicht erledigt',
  showDone: 'Erledigtes zeigen',
  allDone: 'Alles, was zu diesem Track notiert war, ist erledigt.',
  none: ['Noch keine Kommentare zu diesem Track. Mit', 'heftest du einen an den Moment, den du hörst.'],
  commentHere: 'Hier kommentieren (c)',
  pin: (author, at, text) => `${author} bei ${at}: ${text}`,
};

export const transfers: Messages['transfers'] = {
  title: 'Übertragungen',
  sending: (file) => `Sendet ${file}`,
  getting: (file) => `Holt ${file}`,
  stopped: 'angehalten',
  left: (time) => `noch ${time}`,
  perSecond: (amount) => `${amount}/s`,
  goOn: (file) => `${file} fortsetzen`,
  stop: (file) => `${file} anhalten`,
  giveUp: (file) => `${file} nicht senden`,
};

export const told: Messages['told'] = {
  joined: (name) => `${name} ist da`,
  analysed: (title) => `„${title}“ ist analysiert`,
  knocks: (name) => `${name} möchte hinein`,
};

export const history: Messages['history'] = {
  title: 'Verlauf',
  back: 'Zurück zum Raum (Esc)',
  notHere: 'Der Verlauf ist nicht da',
  kinds: { chat: 'Chat', music: 'Wiedergabe', tracks: 'Tracks', notes: 'Notizen', people: 'Personen', room: 'Einstellungen' },
  whileAway: (day, time, what) => `Während du weg warst, ab ${day} ${time}: ${what}.`,
  missed: (what) => `Während du weg warst: ${what}.`,
  came: (first, more) => (more > 0 ? `${first} und ${figure(more)} weitere kamen` : `${first} kam`),
  lookBack: 'Zurückblicken',
  asYouLeft: 'Den Raum zeigen, wie du ihn verlassen hast',
  now: 'Jetzt',
  moment: 'Zeitpunkt des Raums',
  whatHappened: 'Was geschah',
  showOnly: 'Nur zeigen',
  asItWasThen: 'Den Raum zeigen, wie er damals war',
  nothing: 'Nichts dergleichen ist hier geschehen.',
  earlier: 'Früher',
  saveTitle: 'Den Verlauf speichern',
  asPage: 'Als Seite zum Lesen',
  asJsonLines: 'Als JSON Lines, für Programme',
  savedAs: (path) => `Gespeichert als ${path}`,
  asItWas: 'Der Raum, wie er war',
  nothingLoaded: 'Nichts war geladen.',
  playing: (title, at) => `Spielte: ${title} bei ${at}`,
  paused: (title, at) => `Angehalten: ${title} bei ${at}`,
  nobody: 'Niemand war hier.',
  queue: 'Warteschlange',
  queueEmpty: 'Sie war leer.',
  saidLast: 'Zuletzt gesagt',
  nothingYet: 'Noch nichts.',
  entry: (n, title) => `${figure(n)}. ${title}`,
};
