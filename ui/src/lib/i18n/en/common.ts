import { counted } from '../forms';

const count = counted('en');

/** Words of every screen. */
export const common = {
  cancel: 'Cancel',
  close: 'Close',
  save: 'Save',
  create: 'Create',
  delete: 'Delete',
  name: 'Name',
  tryAgain: 'Try again',
  copyDetails: 'Copy details',
  copied: 'Copied',
  couldNotCopy: 'Could not copy',
  dismiss: 'Dismiss',
  loading: 'Loading',
  oneMoment: 'One moment …',
  none: 'None',
  you: 'You',
  somebody: 'Somebody',
  theHost: 'the host',
  unknownArtist: 'Unknown artist',
  unknownTrack: 'Unknown track',
  untitled: 'Untitled',
  notKnownYet: 'Not known yet',
  systemsChoice: 'The system’s choice',
  of: (part: string, whole: string) => `${part} of ${whole}`,
};

export const counts = {
  tracks: (n: number) => count(n, { one: 'track', other: 'tracks' }),
  people: (n: number) => count(n, { one: 'person', other: 'people' }),
  messages: (n: number) => count(n, { one: 'message', other: 'messages' }),
  newMessages: (n: number) => count(n, { one: 'new message', other: 'new messages' }),
  queueChanges: (n: number) => count(n, { one: 'change of the queue', other: 'changes of the queue' }),
  notes: (n: number) => count(n, { one: 'note', other: 'notes' }),
  pastInvites: (n: number) => count(n, { one: 'past invite', other: 'past invites' }),
};

export const time = {
  today: 'Today',
  yesterday: 'Yesterday',
  justNow: 'Just now',
  minutesAgo: (n: number) => `${n} min ago`,
  hoursAgo: (n: number) => `${n} h ago`,
  daysAgo: (n: number) => `${n} d ago`,
};

export const start = {
  title: 'Listen together',
  text: 'Music on your own machines, at the same moment for everyone. No account, nothing to sign up for.',
  callYou: 'What should the others call you?',
  yourName: 'Your name',
  go: 'Start',
  couldNotStart: 'SynxSphere could not start',
  couldNotLoad: 'SynxSphere could not load',
  nodeGone: 'The node does not answer. Trying again …',
};

export const nav = {
  places: 'Places',
  library: 'Library',
  history: 'Played',
  playlists: 'Playlists',
  nearby: 'Nearby',
  recent: 'Recent',
  leaveFirst: 'Leave the room you are in first',
  hostAsked: 'The host is asked …',
  joining: 'Joining …',
  opening: 'Opening …',
  openAgain: 'Yours: open again',
  joinAgain: 'Join again',
  host: 'Host a room',
  join: 'Join by link',
  you: (name: string) => `${name}: you and this window`,
  settings: 'Settings',
  playing: 'playing',
};

export const files = {
  add: 'Add',
  share: 'Share',
  addTitle: 'Add music',
  shareTitle: 'Share files',
  chooseFiles: 'Choose files …',
  chooseFolder: 'Choose a folder …',
  addByPath: 'Add by path',
  shareByPath: 'Share by path',
  helpHere: 'A file or a folder. Or drop them anywhere in this window.',
  helpThere: 'A file or a folder on the machine where the node runs.',
  watched: 'Watched folders',
  unwatch: (path: string) => `Watch ${path} no more; its files stay`,
  dropToShare: (room: string) => `Share with ${room}`,
  dropToAdd: 'Add to the library',
};
