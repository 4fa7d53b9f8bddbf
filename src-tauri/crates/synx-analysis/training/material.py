#!/usr/bin/env python3
"""material.py OUT COUNT [metres]: music that the project makes itself, for training the tempo and key decisions.

Writes OUT/audio/*.wav, OUT/beats/*.beats and OUT/made.csv in the manifest format of score.py. Each piece is a style with the
tempo range that musicians give it, drawn patterns, human timing, a random kit, bass, chords and melody in a random key;
a third is drums alone.
With `metres` only waltzes, jigs, fives and sevens, for the decision about the bar. Tempo, beats and key are what was written, so the labels are exact. Needs mido and fluidsynth
with FluidR3_GM.sf2 (Debian: fluidsynth, fluid-soundfont-gm). The same seed gives the same pieces."""
import csv, os, random, subprocess, sys
import mido

SOUNDFONT = "/usr/share/sounds/sf2/FluidR3_GM.sf2"
SECONDS = 24
NAMES = ["C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"]
KICK, SNARE, SIDE, HAT, FOOT, OPEN, RIDE, CRASH, TOM = 36, 38, 37, 42, 44, 46, 51, 49, 45

# name: tempo range, steps a beat, beats a bar, swing range, and steps with their chances: kick, snare, cymbal.
# Steps are written for one bar; capital letters are sure, x is likely (0.6), o a ghost (0.25), . is nothing.
STYLES = {
    "rock": ((100, 152), 2, 4, (0, 0), "X..oXx.o", "..X...Xo", "XXXXXXXX"),
    "pop": ((92, 132), 4, 4, (0, 0), "X.....o.X.x...o.", "....X.......X...", "X.X.X.X.X.X.X.X."),
    "ballad": ((56, 80), 4, 4, (0, 0), "X.....x.X.o...o.", "....X.......X..o", "X.X.X.X.X.X.X.X."),
    "ballad16": ((56, 78), 4, 4, (0, 0), "X.....o.X.x.....", "....X.......X...", "XoXxXoXxXoXxXoXx"),
    "hiphop": ((76, 99), 4, 4, (0.0, 0.3), "X..o..xo.ox..o..", "....X..o.o..X..o", "X.XoX.XoX.XoX.Xo"),
    "house": ((116, 136), 4, 4, (0, 0.1), "X...X...X...X..o", "....X.......X...", "..X...X...X...X."),
    "trance": ((130, 145), 4, 4, (0, 0), "X...X...X...X...", "....x.......x...", "x.Xxx.Xxx.Xxx.Xx"),
    "dnb": ((164, 178), 4, 4, (0, 0.1), "X.o.......Xo..o.", "....X..o.o..X.o.", "X.X.X.X.X.X.X.X."),
    "breaks": ((120, 146), 4, 4, (0, 0.15), "X.x...o...Xx..o.", "....X..x.o..X..o", "X.X.X.X.X.X.X.X."),
    "punk": ((160, 215), 2, 4, (0, 0), "X..xX..x", "..X...X.", "XxXxXxXx"),
    "skank": ((150, 200), 2, 4, (0, 0), "X.X.X.X.", ".X.X.X.X", "X.X.X.X."),
    "metal": ((120, 200), 4, 4, (0, 0), "XxxxXxxxXxxxXxxx", "....X.......X...", "X...X...X...X..."),
    "blast": ((170, 220), 2, 4, (0, 0), "XXXXXXXX", "xXxXxXxX", "X.X.X.X."),
    "funk": ((92, 118), 4, 4, (0.0, 0.2), "X.o...oX..x..o.o", "....X..o.o.oX..o", "XxXxXxXxXxXxXxXx"),
    "disco": ((110, 128), 4, 4, (0, 0), "X...X...X...X...", "....X.......X...", "XxXxXxXxXxXxXxXx"),
    "soul": ((96, 128), 2, 4, (0, 0), "X..xx..x", "..X...X.", "XXXXXXXX"),
    "swing": ((110, 240), 3, 4, (0, 0), "x..o..x..o..", "..o..o.o...o", "X..X.XX..X.X"),
    "ballroom swing": ((110, 190), 3, 4, (0, 0), "X..x..X..x..", "...X.....X..", "X..X.XX..X.X"),
    "shuffle": ((100, 160), 3, 4, (0, 0), "X....oX..o..", "...X.....X..", "X.XX.XX.XX.X"),
    "slow blues": ((54, 76), 3, 4, (0, 0), "X....oX..o..", "...X.....X..", "XXXXXXXXXXXX"),
    "waltz": ((84, 190), 2, 3, (0, 0), "X.....", "..x.x.", "xoX.X."),
    "slow waltz": ((78, 110), 2, 3, (0, 0), "X...o.", "..x.x.", "XXXXXX"),
    "reggae": ((64, 84), 4, 4, (0.0, 0.2), "o.......X.......", "........X.......", "X.X.X.X.X.X.X.X."),
    "ska": ((124, 168), 2, 4, (0, 0), "X..oX...", "..X...X.", ".X.X.X.X"),
    "bossa": ((112, 146), 2, 4, (0, 0), "X..xX..x", "X..X..X.", "XXXXXXXX"),
    "samba": ((92, 120), 4, 4, (0, 0), "X..xX..xX..xX..x", "o.xo.x.oo.x..x.o", "XxXXXxXXXxXXXxXX"),
    "five": ((100, 180), 2, 5, (0, 0), "X..o..X...", "....X...X.", "XXXXXXXXXX"),
    "seven": ((110, 170), 2, 7, (0, 0), "X..o..X...X...", "..X..X....X.X.", "X.X.X.X.X.X.X."),
    "ambient": ((60, 116), 2, 4, (0, 0), "........", "........", "........"),
}
# Metres that are rare above; made with `metres`.
METRES = {name: STYLES[name] for name in ("waltz", "slow waltz", "five", "seven")} | {
    "jazz waltz": ((110, 190), 3, 3, (0, 0), "X.....x..", "..o..x..o", "X..X.XX.."),
    "rock in three": ((90, 150), 2, 3, (0, 0), "X..x.o", "..X.X.", "XXXXXX"),
    "jig": ((84, 132), 3, 2, (0, 0), "X..X..", "...X..", "XoxXox"),
    "six": ((46, 76), 3, 2, (0, 0), "X..o.x", "...X..", "XXXXXX"),
    "march": ((96, 132), 2, 4, (0, 0), "X...X...", "..X...X.", "X.X.X.X."),
    "take five": ((150, 185), 2, 5, (0, 0), "X.....X...", "..o...o.x.", "X.XxX.X.X."),
    "seven fast": ((170, 230), 1, 7, (0, 0), "X.X.X..", ".X.X.Xo", "XXXXXXX"),
}
MAJOR = [(0, 4, 7), (5, 9, 12), (7, 11, 14), (9, 12, 16), (2, 5, 9), (4, 7, 11)]
MINOR = [(0, 3, 7), (5, 8, 12), (7, 11, 14), (8, 12, 15), (3, 7, 10), (10, 14, 17), (7, 10, 14)]
SCALES = {"major": [0, 2, 4, 5, 7, 9, 11], "minor": [0, 2, 3, 5, 7, 8, 10]}
CHANCE = {"X": 1.0, "x": 0.6, "o": 0.25, ".": 0.0}
LOUD = {"X": 1.0, "x": 0.75, "o": 0.45}


class Piece:
    def __init__(self, rnd, style):
        self.rnd, self.style = rnd, style
        (low, high), self.per_beat, self.bar_beats, swing, *self.rows = (STYLES | METRES)[style]
        self.bpm = round(low * (high / low) ** rnd.random(), rnd.choice([0, 0, 2]))
        self.swing = rnd.uniform(*swing) if self.per_beat == 4 else 0.0
        self.human_s = rnd.choice([0.0, 0.004, 0.010])
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

    def drums(self, loud):
        rnd = self.rnd
        kit = {"K": KICK, "S": rnd.choice([SNARE, SNARE, 40, SIDE, 39]), "C": rnd.choice([HAT, HAT, RIDE, OPEN])}
        cymbals = rnd.random() > 0.12
        rows = [list(row) for row in self.rows]
        # The groove of a piece is drawn once; some strokes are drawn anew in each bar.
        groove = [[c for c in row] for row in rows]
        for row in groove:
            for i, c in enumerate(row):
                if c in "xo" and rnd.random() < 0.7:
                    row[i] = c.upper() if rnd.random() < CHANCE[c] else "."
        fill_every = rnd.choice([0, 4, 8])
        for bar in range(self.bars):
            fill = fill_every and bar % fill_every == fill_every - 1
            for name, row, base in zip("KSC", groove, (105, 100, 70)):
                if name == "C" and not cymbals:
                    continue
                for step, c in enumerate(row):
                    if fill and step >= len(row) // 2:
                        c = "x" if name == "S" else "." if name == "C" else c
                    if c != "." and rnd.random() < CHANCE.get(c, 1.0):
                        accent = 1.0 if step % self.per_beat == 0 or name != "C" else 0.8
                        self.note(9, kit[name], self.time(bar, step), 0.1, base * accent * LOUD.get(c, 0.7) * loud)
            if bar % 8 == 0 and rnd.random() < 0.5:
                self.note(9, CRASH, self.time(bar, 0), 0.5, 100 * loud)

    def harmony(self):
        rnd = self.rnd
        tonic, mode = rnd.randrange(12), rnd.choice(["major", "minor"])
        chords, scale = (MAJOR, SCALES["major"]) if mode == "major" else (MINOR, SCALES["minor"])
        loop = [chords[0]] + [rnd.choice(chords) for _ in range(3)]
        if rnd.random() < 0.3:
            rnd.shuffle(loop)
        steps = self.per_beat * self.bar_beats
        bass = self.pattern(steps, rnd.choice([0.15, 0.4, 0.9]))
        comp = self.pattern(steps, rnd.choice([0.05, 0.3, 0.7]))
        tune = self.pattern(steps, rnd.choice([0.2, 0.35, 0.6])) if rnd.random() < 0.7 else []
        step_s, degree = self.beat_s / self.per_beat, 7
        for bar in range(self.bars):
            chord = loop[bar % 4]
            for step in bass:
                pitch = 36 + (tonic + chord[0]) % 12 + (rnd.choice([0, 0, 7, 12]) if step else 0)
                self.note(0, pitch, self.time(bar, step), step_s * 1.5, 95)
            for step in comp:
                for tone in chord:
                    self.note(1, 48 + (tonic + tone) % 12 + rnd.choice([0, 0, 12]), self.time(bar, step), step_s * 2, 72)
            for step in tune:
                degree = max(0, min(14, degree + rnd.choice([-2, -1, -1, 1, 1, 2])))
                pitch = 60 + tonic + scale[degree % 7] + 12 * (degree // 7)
                self.note(2, pitch, self.time(bar, step), step_s * 1.5, 88)
        return f"{NAMES[tonic]} {mode}"

    def pattern(self, steps, chance):
        """Steps of a bar on which something plays: beats are likelier than what lies between."""
        beats = set(range(0, steps, self.per_beat))
        found = {s for s in range(steps) if self.rnd.random() < (min(1, 1.6 * chance) if s in beats else 0.6 * chance)}
        return sorted(found | {0})

    def make(self):
        rnd, key = self.rnd, ""
        kind = rnd.random()
        alone = kind < 0.33 and self.style != "ambient"
        if self.style != "ambient":
            self.drums(1.0 if alone else rnd.choice([0.55, 0.8, 1.0]))
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
        sig = f"{piece.bar_beats}/4" if piece.per_beat != 3 or piece.bar_beats > 2 else "6/8"
        rows.append([f"audio/{name}.wav", piece.bpm, key, name + ".beats", f"made-{style}", sig])
    with open(os.path.join(folder, "made.csv"), "w") as out:
        csv.writer(out).writerows([["file", "bpm", "key", "beats", "group", "sig"], *rows])


if __name__ == "__main__":
    main()
