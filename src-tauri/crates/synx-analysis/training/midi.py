#!/usr/bin/env python3
"""midi.py pop909|band SOURCE OUT: renders half a minute out of each MIDI file below SOURCE, for training.

`pop909`: a copy of music-x-lab/POP909-Dataset (MIT), every fifth song, its three tracks on instruments drawn at random, tempo
from beat_midi.txt and key from key_audio.txt. `band`: any folder of MIDI files whose tempo events are the authors' own, such as
the music of Freedoom (BSD); pieces that change tempo are left out. Writes OUT/audio/*.wav, OUT/beats/*.beats and a manifest
OUT/songs.csv or OUT/band.csv. Needs mido, numpy and fluidsynth with FluidR3_GM.sf2. Nothing of it belongs in the project."""
import csv, glob, os, random, subprocess, sys
import mido
import numpy as np

SOUNDFONT = "/usr/share/sounds/sf2/FluidR3_GM.sf2"
SECONDS = 30
MELODY = [73, 65, 40, 80, 26, 29, 68, 66, 11, 0, 0, 56]
BRIDGE = [24, 25, 48, 4, 5, 27, 89, 0, 28]
PIANO = [0, 0, 4, 5, 24, 25, 2]


def excerpt(source, start):
    """A stretch at a fixed tempo of 120, so that ticks are half milliseconds."""
    out = mido.MidiFile(ticks_per_beat=1000)
    track, last, sounding, now = mido.MidiTrack(), 0, set(), 0.0
    out.tracks.append(track)

    def put(message, at):
        nonlocal last
        tick = max(last, round(max(0.0, at - start) * 2000))
        track.append(message.copy(time=tick - last))
        last = tick

    for message in source:
        now += message.time
        if message.is_meta or message.type == "sysex" or now >= start + SECONDS:
            continue
        if message.type == "note_on" and message.velocity > 0:
            if now >= start:
                sounding.add((message.channel, message.note))
                put(message, now)
        elif message.type in ("note_on", "note_off"):
            if (message.channel, message.note) in sounding:
                put(message, now)
        else:
            put(message, now)
    for channel, note in sounding:
        put(mido.Message("note_off", channel=channel, note=note), start + SECONDS)
    return out


def render(midi, folder, name):
    path = os.path.join(folder, name + ".mid")
    midi.save(path)
    wav = os.path.join(folder, "audio", name + ".wav")
    command = ["fluidsynth", "-ni", "-q", "-r", "22050", "-g", "0.6", "-F", wav, "-T", "wav", "-O", "s16", SOUNDFONT, path]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    os.remove(path)


def songs(rnd, source, folder):
    for path in sorted(glob.glob(os.path.join(source, "POP909", "[0-9]*"))):
        name = os.path.basename(path)
        if int(name) % 5:
            continue
        midi = mido.MidiFile(os.path.join(path, name + ".mid"))
        beats = np.array([float(line.split()[0]) for line in open(os.path.join(path, "beat_midi.txt"))])
        start = rnd.uniform(0.2, 0.6) * max(beats[-1] - SECONDS - 5, 0)
        for i, track in enumerate(midi.tracks):
            track[:] = [m.copy(channel=i) if hasattr(m, "channel") else m for m in track]
            program = rnd.choice([MELODY, BRIDGE, PIANO][min(max(i - 1, 0), 2)])
            track.insert(0, mido.Message("program_change", channel=i, program=program))
        render(excerpt(midi, start), folder, "pop_" + name)
        inside = beats[(beats >= start) & (beats < start + SECONDS)] - start
        keys = [line.split() for line in open(os.path.join(path, "key_audio.txt"))]
        key = [k for low, high, k in keys if float(low) <= start and float(high) >= start + SECONDS]
        key = key[0].replace(":maj", " major").replace(":min", " minor") if key else ""
        yield "pop_" + name, 60 / np.median(np.diff(inside)), key, f"pop-{int(name) // 100}", inside


def band(rnd, source, folder):
    for path in sorted(glob.glob(os.path.join(source, "*.mid"))):
        name = os.path.basename(path)[:-4]
        midi, now, tempi = mido.MidiFile(path, clip=True), 0.0, []
        for message in midi:
            now += message.time
            if message.type == "set_tempo":
                tempi.append((now, message.tempo))
        start = rnd.uniform(0.1, 0.4) * max(now - SECONDS, 0)
        held = [t for at, t in tempi if at <= start][-1:] + [t for at, t in tempi if start < at < start + SECONDS]
        if now < 25 or not held or max(held) > 1.03 * min(held):
            continue
        render(excerpt(midi, start), folder, "band_" + name)
        yield "band_" + name, 60e6 / held[0], "", "band_midi-" + name[2:4], None


def main():
    kind, source, folder = sys.argv[1:]
    for sub in ("audio", "beats"):
        os.makedirs(os.path.join(folder, sub), exist_ok=True)
    rows = []
    for name, bpm, key, group, beats in {"pop909": songs, "band": band}[kind](random.Random(5), source, folder):
        if beats is not None:
            np.savetxt(os.path.join(folder, "beats", name + ".beats"), beats, fmt="%.4f")
        rows.append([f"audio/{name}.wav", f"{bpm:.3f}", key, "" if beats is None else name + ".beats", group])
    with open(os.path.join(folder, {"pop909": "songs.csv", "band": "band.csv"}[kind]), "w") as out:
        csv.writer(out).writerows([["file", "bpm", "key", "beats", "group"], *rows])


main()
