import type { Messages } from '../en';
import { figure } from '../language.svelte';

export const playing: Messages['playing'] = {
  playback: 'Wiedergabe',
  play: 'Abspielen',
  pause: 'Pause',
  previous: 'Zurück',
  next: 'Weiter',
  position: 'Stelle',
  startWithout: 'Ohne sie anfangen',
  withSpace: (action) => `${action} (Leertaste)`,
  repeat: 'Wiederholen (o)',
  stopRepeating: 'Nicht mehr wiederholen (o)',
  loading: 'Lädt …',
  hostPlays: 'In diesem Raum spielt der Host',
  djsPlay: 'In diesem Raum spielen der Host und die DJs. Bitte den Host, dich zum DJ zu machen',
  waitingForAll: 'Wartet auf alle',
  waitingForPeople: (n) => `Wartet auf ${figure(n)} Personen`,
  waitingFor: (names) => `Wartet auf ${names}`,
  youAmongOthers: 'dich',
  upNext: 'Als Nächstes',
  saveAsPlaylist: 'Als Playlist speichern',
  nothingQueued: 'Nichts. Mit Q reihst du einen Track ein.',
  queuedByYou: (title) => `${title}, von dir eingereiht`,
  takeOut: (title) => `${title} aus der Warteschlange nehmen`,
};

export const output: Messages['output'] = {
  mute: 'Stumm (m)',
  unmute: 'Ton an (m)',
  volume: 'Lautstärke',
  percent: (n) => `${n} Prozent`,
  title: 'Tonausgabe',
  output: 'Ausgabe',
  outputIs: (device) => `Ausgabe: ${device}`,
  noSound: 'Kein Ton',
  silent: 'Stumm',
  silentText: 'Dieses Gerät hält den Takt ohne Ton, so wurde es gestartet. Wähl eine Ausgabe, um es zu hören.',
  nothingHeard: 'Es ist nichts zu hören: Keine Ausgabe funktioniert. Die Zeit läuft weiter; schließ eine an oder wähle eine andere.',
  isDefault: (name) => `${name} (Standard)`,
  loudness: 'Lautheit',
  loudnessHelp: 'Bringt jeden Track auf diesem Gerät auf dieselbe Lautheit, soweit seine Spitzen es zulassen.',
  asMade: 'Wie aufgenommen',
  quiet: 'Leise, mit allen Spitzen (−23 LUFS)',
  even: 'Ausgeglichen (−18 LUFS)',
  loud: 'Laut (−14 LUFS)',
  latency: 'Latenz dieser Ausgabe, in Millisekunden',
  latencyHelp: 'Wie spät sie spielt: Erhöhe den Wert, wenn du die anderen zu früh hörst, etwa bei Bluetooth. Gilt für jede Ausgabe einzeln.',
};

export const calibration: Messages['calibration'] = {
  open: 'Herausfinden',
  byEar: 'Nach Gehör: Lass zwei Geräte nebeneinander klicken und ändere die Latenz des einen, bis sie wie eines klicken.',
  click: 'Einmal je Sekunde klicken',
  stopClicking: 'Nicht mehr klicken',
  byMicrophone: 'Mit einem Mikrofon am Lautsprecher, in einem ruhigen Raum:',
  microphone: 'Mikrofon',
  measure: 'Messen',
  listening: 'Hört zu, zehn Sekunden …',
  early: (ms, spread, heard, played) => `Spielt ${ms} zu früh (± ${spread}, ${heard} von ${played} Signalen).`,
  late: (ms, spread, heard, played) => `Spielt ${ms} zu spät (± ${spread}, ${heard} von ${played} Signalen).`,
  keep: (ms) => `Latenz auf ${ms} setzen`,
};

/** Of the twelve notes of the table of keys, those that German names otherwise. */
const NOTES: Record<string, string> = { 'G#': 'Gis', Eb: 'Es', Bb: 'B', B: 'H', 'F#': 'Fis', Db: 'Des', Ab: 'As', 'C#': 'Cis' };

function keyName(name: string): string {
  const [note = '', mode] = name.split(' ');
  const german = NOTES[note] ?? note;
  return mode === 'minor' ? `${german.toLowerCase()}-Moll` : `${german}-Dur`;
}

export const music: Messages['music'] = {
  bpm: 'BPM',
  tempo: 'Tempo',
  key: 'Tonart',
  energy: 'Energie',
  energyOf: (energy) => `Energie ${energy} von 10`,
  setByYou: 'Von dir gesetzt.',
  valueSetByYou: (value) => `${value}, von dir gesetzt`,
  sure: (percent) => `Zu ${percent} sicher.`,
  valueSure: (value, percent) => `${value}, zu ${percent} sicher.`,
  mayBe: (others) => `Vielleicht auch ${others.join(' oder ')}.`,
  analysisSays: (value, percent) => `Die Analyse sagt ${value}, zu ${percent} sicher.`,
  pressToCorrect: 'Zum Korrigieren drücken.',
  keyNames: (name, camelot, openKey) => `${name} (Camelot ${camelot}, Open Key ${openKey})`,
  keyName,
  keyShort: keyName,
  noKey: 'Es wurde keine Tonart gefunden.',
  noTempo: 'Es wurde kein gleichmäßiges Tempo gefunden.',
  choose: 'Wählen …',
  itIs: (value) => `Es ist ${value}`,
  asFound: 'Wie die Analyse es fand',
  beatsPerMinute: 'Schläge pro Minute',
  inMetre: 'Im',
  half: 'Halb so schnell',
  double: 'Doppelt so schnell',
  tapOn: (n) => `Weiter tippen … ${n}`,
  tap: 'Den Takt tippen',
  or: 'Oder',
  grid: 'Raster',
  gridEarlier: (ms) => `Raster um ${ms} ms früher`,
  gridLater: (ms) => `Raster um ${ms} ms später`,
  beatHere: 'Einen Schlag auf diese Stelle legen',
  onTheWay: 'Unterwegs',
  andMore: (n) => `und ${n} weitere`,
  waveformOf: (title) => `Wellenform von ${title}`,
  noWaveform: (why) => `Die Wellenform kann nicht gezeigt werden. ${why}`,
  preparing: 'Die Wellenform wird vorbereitet …',
  listeningTo: (percent) => `Der Track wird angehört: ${percent} %`,
  whole: 'Ganz',
  showWhole: 'Den ganzen Track zeigen (0)',
  zoomOut: 'Verkleinern (-)',
  zoomIn: 'Vergrößern (+)',
};
