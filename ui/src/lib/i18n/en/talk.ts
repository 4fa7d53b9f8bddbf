import { figure } from '../language.svelte';

/** What is said, noted, sent and told in a room. */
export const chat = {
  title: 'Chat',
  search: 'Search what was said',
  endSearch: 'End the search',
  found: (n: number) => `${figure(n)} found`,
  nobodySaidThat: 'Nobody said that.',
  nothingSaid: 'Nobody has said anything yet.',
  onItsWay: 'on its way',
  hint: 'Say something',
  message: 'Message',
  send: 'Send (Enter)',
  complete: 'Complete',
  new: 'New',
  goTo: (moment: string) => `Go to ${moment}`,
};

export const notes = {
  title: 'Notes',
  at: (moment: string) => `At ${moment}`,
  fromTo: (from: string, to: string) => `${from} to ${to}`,
  hint: 'What do you hear here?',
  onlyMoment: 'Only this moment',
  repeatedPart: 'The repeated part',
  comment: 'Comment',
  answer: 'Answer',
  answerTo: (name: string) => `Answer ${name}`,
  sendAnswer: 'Send the answer',
  done: 'Done',
  notDone: 'Not done after all',
  showDone: 'Show what is done',
  allDone: 'All that was noted on this track is done.',
  /** Around the key that is pressed. */
  none: ['No comments on this track yet. Press', 'to pin one to the moment you hear.'],
  commentHere: 'Comment here (c)',
  pin: (author: string, at: string, text: string) => `${author} at ${at}: ${text}`,
};

export const transfers = {
  title: 'Transfers',
  sending: (file: string) => `Sending ${file}`,
  getting: (file: string) => `Getting ${file}`,
  stopped: 'stopped',
  left: (time: string) => `${time} left`,
  perSecond: (amount: string) => `${amount}/s`,
  goOn: (file: string) => `Go on with ${file}`,
  stop: (file: string) => `Stop ${file}`,
  giveUp: (file: string) => `Do not send ${file}`,
  sends: (name: string, file: string) => `${name} sends ${file}`,
  doNotTake: (name: string, file: string) => `Do not wait for ${file} from ${name}`,
};

export const told = {
  joined: (name: string) => `${name} joined`,
  analysed: (title: string) => `“${title}” is analysed`,
  knocks: (name: string) => `${name} asks to come in`,
};

export const history = {
  title: 'History',
  back: 'Back to the room (Esc)',
  notHere: 'The history is not here',
  kinds: { chat: 'Chat', music: 'Playing', tracks: 'Tracks', notes: 'Notes', people: 'People', room: 'Settings' },
  whileAway: (day: string, time: string, what: string) => `While you were away, since ${day} ${time}: ${what}.`,
  missed: (what: string) => `While you were away: ${what}.`,
  came: (first: string, more: number) => (more > 0 ? `${first} and ${figure(more)} more came` : `${first} came`),
  lookBack: 'Look back',
  asYouLeft: 'Show the room as you left it',
  now: 'Now',
  moment: 'Moment of the room',
  whatHappened: 'What happened',
  showOnly: 'Show only',
  asItWasThen: 'Show the room as it was then',
  nothing: 'Nothing of this kind has happened here.',
  earlier: 'Earlier',
  saveTitle: 'Save the history',
  asPage: 'As a page to read',
  asJsonLines: 'As JSON Lines, for programs',
  savedAs: (path: string) => `Saved as ${path}`,
  asItWas: 'The room as it was',
  nothingLoaded: 'Nothing was loaded.',
  playing: (title: string, at: string) => `Playing: ${title} at ${at}`,
  paused: (title: string, at: string) => `Paused: ${title} at ${at}`,
  nobody: 'Nobody was here.',
  queue: 'Queue',
  queueEmpty: 'It was empty.',
  saidLast: 'Said last',
  nothingYet: 'Nothing yet.',
  entry: (n: number, title: string) => `${figure(n)}. ${title}`,
};
