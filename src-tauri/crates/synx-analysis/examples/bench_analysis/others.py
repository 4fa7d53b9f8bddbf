#!/usr/bin/env python3
"""others.py FOLDER: what aubio and Essentia say of the files of FOLDER/manifest.csv, whichever of them is installed.

One JSON line for each program and file, then one for each program with the seconds of audio and of work. Decoding is
ffmpeg's and is not counted. Needs numpy and ffmpeg; aubio and essentia come from PyPI."""
import csv, importlib, json, os, subprocess, sys, time

RATE = 44100


def installed(name):
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def usual_bpm(beats):
    """aubio's own tempo is biased; the mean of the usual intervals between its beats is the fairer figure."""
    intervals = sorted(b - a for a, b in zip(beats, beats[1:]))
    if len(intervals) < 4:
        return None
    middle = intervals[len(intervals) // 2]
    usual = [i for i in intervals if abs(i / middle - 1) < 0.1]
    return 60.0 * len(usual) / sum(usual)


def aubio_tempo(aubio, audio):
    tracker, beats = aubio.tempo("default", 1024, 512, RATE), []
    for at in range(0, len(audio) - 511, 512):
        if tracker(audio[at : at + 512]):
            beats.append(float(tracker.get_last_s()))
    return dict(bpm=usual_bpm(beats), beats=beats)


def rhythm(es, method):
    extract = es.RhythmExtractor2013(method=method)

    def run(audio):
        bpm, beats, *_ = extract(audio)
        return dict(bpm=float(bpm) or None, beats=[float(b) for b in beats])

    return run


def percival(es):
    # It remembers what it has heard: a new one for each file.
    return lambda audio: dict(bpm=float(es.PercivalBpmEstimator(sampleRate=RATE)(audio)) or None)


def key(es, profile):
    extract = es.KeyExtractor(profileType=profile, sampleRate=RATE)

    def run(audio):
        name, scale, *_ = extract(audio)
        return dict(key=f"{name} {scale}")

    return run


def programs():
    found = {}
    aubio = installed("aubio")
    if aubio:
        found["aubio"] = lambda audio: aubio_tempo(aubio, audio)
    if installed("essentia"):
        import essentia
        import essentia.standard as es

        essentia.log.infoActive = essentia.log.warningActive = False
        found["Essentia Percival"] = percival(es)
        for method in ("degara", "multifeature"):
            found[f"Essentia {method}"] = rhythm(es, method)
        for profile in ("edma", "bgate"):
            found[f"Essentia {profile}"] = key(es, profile)
    return found


def decoded(np, path):
    call = ["ffmpeg", "-v", "error", "-i", path, "-ac", "1", "-ar", str(RATE), "-f", "f32le", "-"]
    return np.frombuffer(subprocess.run(call, stdout=subprocess.PIPE, check=True).stdout, np.float32)


def main():
    folder, found = sys.argv[1], programs()
    if not found:
        return
    import numpy as np

    audio_s, spent_s = 0.0, dict.fromkeys(found, 0.0)
    for row in csv.DictReader(open(os.path.join(folder, "manifest.csv"))):
        audio = decoded(np, os.path.join(folder, row["file"]))
        audio_s += len(audio) / RATE
        for name, run in found.items():
            started = time.process_time()
            answer = run(audio)
            spent_s[name] += time.process_time() - started
            print(json.dumps(dict(program=name, file=row["file"], **answer)))
    for name, spent in spent_s.items():
        print(json.dumps(dict(program=name, speed=audio_s / max(spent, 1e-9))))


main()
