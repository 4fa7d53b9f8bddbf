#!/usr/bin/env python3
"""material.py OUT COUNT [metres]: music that the project makes itself, for training the tempo and key decisions.

Writes OUT/audio/*.wav, OUT/beats/*.beats and OUT/made.csv in the manifest format of score.py. Each piece is a style
(styles.py) with the tempo range that musicians give it, drawn patterns, human timing, a random kit, an accompaniment of one
of seven kinds and a melody in a random key; two in five are drums alone, some of them nearly solos.
With `metres` only waltzes, jigs, fives and sevens, for the decision about the bar. Tempo, beats and key are what was
written, so the labels are exact. Needs mido and fluidsynth with FluidR3_GM.sf2 (Debian: fluidsynth, fluid-soundfont-gm). The same seed gives the same pieces."""
import csv, os, random, subprocess, sys
import mido
from styles import METRES, STYLES

SOUNDFONT = "/usr/share/sounds/sf2/FluidR3_GM.sf2"
SECONDS = 24
NAMES = ["C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"]
KICK, SNARE, SIDE, HAT, FOOT, OPEN, RIDE, CRASH = 36, 38, 37, 42, 44, 46, 51, 49
TOMS = [50, 48, 47, 45, 43, 41]
PERCUSSION = [45, 54, 56, 62, 64, 70, 75, 76]

MAJOR = [(0, 4, 7), (5, 9, 12), (7, 11, 14), (9, 12, 16), (2, 5, 9), (4, 7, 11)]
MINOR = [(0, 3, 7), (5, 8, 12), (7, 11, 14), (8, 12, 15), (3, 7, 10), (10, 14, 17), (7, 10, 14)]
SCALES = {"major": [0, 2, 4, 5, 7, 9, 11], "minor": [0, 2, 3, 5, 7, 8, 10]}
CHANCE = {"X": 1.0, "x": 0.6, "o": 0.25, ".": 0.0}
NO_DRUMS = ("ambient", "barcarole")
LOUD = {"X": 1.0, "x": 0.75, "o": 0.45}


class Piece:
    def __init__(self, rnd, style):
        self.rnd, self.style = rnd, style
        (low, high), self.per_beat, self.bar_beats, swing, *self.rows = (STYLES | METRES)[style]
        self.bpm = round(low * (high / low) ** rnd.random(), rnd.choice([0, 0, 2]))
        self.swing = rnd.uniform(*swing) if self.per_beat == 4 else 0.0
        self.human_s = rnd.choice([0.0, 0.004, 0.010, 0.016])
        self.dynamics = rnd.choice([4, 10, 18])
        self.start_s = rnd.uniform(0.05, 0.9)
        self.beat_s = 60.0 / self.bpm
        self.events = []
        self.bars = int((SECONDS - self.start_s) / (self.beat_s * self.bar_beats))

    def time(self, bar, step):
        late = self.swing if step % 2 else 0.0
        return self.start_s + self.beat_s * (bar * self.bar_beats + (step + late) / self.per_beat)

    def note(self, channel, pitch, at, length, velocity):
        at = max(0.0, at + self.rnd.gauss(0, self.human_s))
        velocity = max(1, min(127, int(self.rnd.gauss(velocity, self.dynamics))))
        self.events += [(at, "note_on", channel, pitch, velocity), (at + length, "note_off", channel, pitch, 0)]

    def drums(self, loud, busy):
        """`busy`: the chance that a stroke which is not sure is drawn anew in each bar; else the groove stays."""
        rnd = self.rnd
        kit = {"K": KICK, "S": rnd.choice([SNARE, SNARE, 40, SIDE, 39]), "C": rnd.choice([HAT, HAT, RIDE, OPEN])}
        kit["P"] = rnd.choice(PERCUSSION)
        silent = [name for name, chance in (("C", 0.12), ("P", 0.2)) if rnd.random() < chance]
        groove = [list(row) for row in self.rows]
        for row in groove:
            for i, c in enumerate(row):
                if c in "xo" and rnd.random() > busy:
                    row[i] = c.upper() if rnd.random() < CHANCE[c] else "."
        steps, fill_every = self.per_beat * self.bar_beats, rnd.choice([0, 4, 8])
        for bar in range(self.bars):
            filled = rnd.choice([steps // 4, steps // 2]) if fill_every and bar % fill_every == fill_every - 1 else 0
            for name, row, base in zip("KSCP", groove, (105, 100, 70, 80)):
                for step in range(steps - (filled if name != "K" else 0)):
                    c = row[(bar * steps + step) % len(row)]
                    if name not in silent and rnd.random() < CHANCE.get(c, 1.0):
                        accent = 1.0 if step % self.per_beat == 0 or name != "C" else 0.8
                        self.note(9, kit[name], self.time(bar, step), 0.1, base * accent * LOUD.get(c, 0.7) * loud)
            self.fill(bar, steps - filled, steps, loud)
            if bar % 8 == 0 and rnd.random() < 0.5:
                self.note(9, CRASH, self.time(bar, 0), 0.5, 100 * loud)

    def fill(self, bar, start, end, loud):
        """Snare and toms, from the highest down."""
        drums = [SNARE, *TOMS] if self.rnd.random() < 0.6 else [SNARE]
        chance = self.rnd.choice([0.6, 0.85, 1.0])
        for step in range(start, end):
            if self.rnd.random() < chance:
                drum = drums[(step - start) * len(drums) // (end - start)]
                self.note(9, drum, self.time(bar, step), 0.1, self.rnd.choice([70, 95, 110]) * loud)

    def harmony(self):
        rnd = self.rnd
        tonic, mode = rnd.randrange(12), rnd.choice(["major", "minor"])
        chords, scale = (MAJOR, SCALES["major"]) if mode == "major" else (MINOR, SCALES["minor"])
        loop = [chords[0]] + [rnd.choice(chords) for _ in range(3)]
        if rnd.random() < 0.3:
            rnd.shuffle(loop)
        steps = self.per_beat * self.bar_beats
        bass, comp = self.accompaniment(steps)
        density = rnd.choice([0.2, 0.35, 0.6])
        tunes = [self.pattern(steps, density) for _ in range(2)] if rnd.random() < 0.7 else [[], []]
        step_s, degree = self.beat_s / self.per_beat, 7
        for bar in range(self.bars):
            chord = loop[bar % 4]
            for step in bass:
                pitch = 36 + (tonic + chord[0]) % 12 + (rnd.choice([0, 0, 7, 12]) if step else 0)
                self.note(0, pitch, self.time(bar, step), step_s * 1.5, 95)
            for step, tones, length, velocity in comp:
                for tone in tones:
                    pitch = 48 + (tonic + chord[tone % 3]) % 12 + 12 * (tone // 3) + rnd.choice([0, 0, 12]) * (len(tones) > 1)
                    self.note(1, pitch, self.time(bar, step), step_s * length, velocity)
            for step in tunes[bar % 4 == 2]:
                degree = max(0, min(14, degree + rnd.choice([-2, -1, -1, 1, 1, 2])))
                pitch = 60 + tonic + scale[degree % 7] + 12 * (degree // 7)
                self.note(2, pitch, self.time(bar, step), step_s * 1.5, 88)
        return f"{NAMES[tonic]} {mode}"

    def accompaniment(self, steps):
        """Bass: the steps of a bar. Chords: (step, tones of the triad, length in steps, velocity)."""
        rnd, beat, triad = self.rnd, self.per_beat, (0, 1, 2)
        beats = range(0, steps, beat)
        bass = self.pattern(steps, rnd.choice([0.15, 0.4, 0.9]))
        kind = rnd.choice(["drawn", "drawn", "broken", "boom", "block", "strum", "held", "walk"])
        if kind == "broken":
            every = rnd.choice([e for e in (1, 2, beat // 2) if e and beat % e == 0])
            figure = rnd.choice([(0, 2, 1, 2), (0, 1, 2, 1), (0, 1, 2, 3), (0, 2, 3, 2, 1, 2)])
            comp = [(s, (figure[i % len(figure)],), every * 1.2, 80) for i, s in enumerate(range(0, steps, every))]
            return [0], comp
        if kind == "boom":
            low = {0} if self.bar_beats % 2 else set(beats[::2])
            after = rnd.choice([0, 0, beat // 2]) if self.bar_beats == 4 else 0
            return sorted(low), [(s + after, triad, 1, 75) for s in beats if after or s not in low]
        if kind == "block":
            return [0] if rnd.random() < 0.5 else list(beats), [(s, triad, beat * 0.9, 78) for s in beats]
        if kind == "strum":
            accents = set(self.pattern(steps, 0.5))
            return bass, [(s, triad, 1, 90 if s in accents else 50) for s in range(steps) if s in accents or rnd.random() < 0.7]
        if kind == "held":
            return [0], [(0, triad, steps, 75)]
        if kind == "walk":
            bass = list(beats)
        return bass, [(s, triad, 2, 72) for s in self.pattern(steps, rnd.choice([0.05, 0.3, 0.7]))]

    def pattern(self, steps, chance):
        """Steps of a bar on which something plays: beats are likelier than what lies between."""
        beats = set(range(0, steps, self.per_beat))
        found = {s for s in range(steps) if self.rnd.random() < (min(1, 1.6 * chance) if s in beats else 0.6 * chance)}
        return sorted(found | {0})

    def make(self):
        rnd, key = self.rnd, ""
        kind = rnd.random()
        alone = kind < 0.4 and self.style not in NO_DRUMS
        if self.style not in NO_DRUMS and (alone or kind < 0.9):
            self.drums(1.0 if alone else rnd.choice([0.55, 0.8, 1.0]), rnd.choice([0.3, 0.3, 1.0]) if alone else 0.3)
        if not alone:
            key = self.harmony()
        programs = [rnd.choice([32, 33, 34, 35, 38, 39]), rnd.choice([0, 4, 16, 24, 27, 29, 30, 48, 50, 89])]
        programs.append(rnd.choice([0, 11, 26, 29, 40, 56, 65, 73, 80, 81]))
        changes = list(enumerate(programs)) + [(9, rnd.choice([0, 0, 8, 16, 24, 25, 32, 40]))]
        return key, changes

    def save(self, path, changes):
        out = mido.MidiFile(ticks_per_beat=1000)
        track = mido.MidiTrack()
        out.tracks.append(track)
        for channel, program in changes:
            track.append(mido.Message("program_change", channel=channel, program=program))
        last = 0
        for at, kind, channel, pitch, velocity in sorted(self.events):
            tick = round(at * 2000)
            track.append(mido.Message(kind, channel=channel, note=pitch, velocity=velocity, time=max(0, tick - last)))
            last = max(last, tick)
        out.save(path)


def main():
    folder, count = sys.argv[1], int(sys.argv[2])
    styles, first = (METRES, 10_000) if "metres" in sys.argv else (STYLES, 0)
    for sub in ("audio", "beats"):
        os.makedirs(os.path.join(folder, sub), exist_ok=True)
    rows = []
    for i in range(count):
        rnd = random.Random(first + i)
        style = list(styles)[i % len(styles)]
        piece = Piece(rnd, style)
        key, changes = piece.make()
        name = f"made_{i:04d}"
        midi, wav = os.path.join(folder, name + ".mid"), os.path.join(folder, "audio", name + ".wav")
        piece.save(midi, changes)
        room = ["-R", rnd.choice(["0", "1"]), "-C", "0"]
        command = ["fluidsynth", "-ni", "-q", "-r", "22050", "-g", "0.6", *room, "-F", wav, "-T", "wav", "-O", "s16"]
        subprocess.run([*command, SOUNDFONT, midi], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        os.remove(midi)
        beats = [piece.start_s + k * piece.beat_s for k in range(piece.bars * piece.bar_beats)]
        with open(os.path.join(folder, "beats", name + ".beats"), "w") as out:
            out.writelines(f"{b:.4f}\n" for b in beats)
        sig = "6/8" if piece.bar_beats == 2 else f"{piece.bar_beats}/4"
        rows.append([f"audio/{name}.wav", piece.bpm, key, name + ".beats", f"made-{style}", sig])
    with open(os.path.join(folder, "made.csv"), "w") as out:
        csv.writer(out).writerows([["file", "bpm", "key", "beats", "group", "sig"], *rows])


if __name__ == "__main__":
    main()
