#!/usr/bin/env python3
"""negatives.py OUT: sounds that have neither tempo nor key, for training the two refusals.

Noises of four colours, steady and swelling; strokes at random moments; slow glides; drones that fade in and out; and
read-aloud text in several voices (espeak-ng). Writes OUT/audio/*.wav and OUT/negatives.csv. Needs numpy and espeak-ng."""
import csv, os, subprocess, sys, wave
import numpy as np

RATE = 22050
TEXTS = [
    "The harbour was quiet that morning. Boats lay along the wall, and nobody had yet come down from the town. "
    "When the first train arrived, a woman with two suitcases asked the way to the old lighthouse.",
    "To make the bread, mix the flour with salt, add warm water little by little, and knead it until it is smooth. "
    "Leave it for an hour under a cloth. Then heat the oven, as hot as it will go, and bake it for forty minutes.",
    "Good evening. Here are the news at nine. The council has agreed to build a new bridge; the works start in spring, "
    "and they are expected to take three years. The weather: rain in the west, dry elsewhere, with a light wind.",
    "I told him that I could not come. He said it did not matter, although, of course, it did. We walked on in silence, "
    "past the mill and the school, and only at the gate did he turn round and ask what I had really meant by it.",
]


def noise(rng, n, tilt):
    bins = np.fft.rfft(rng.standard_normal(n))
    f = np.maximum(np.fft.rfftfreq(n, 1 / RATE), 20.0)
    return np.fft.irfft(bins * f ** (-tilt / 2), n)


def swelling(rng, n, x):
    slow = np.interp(np.arange(n), np.linspace(0, n, 12), rng.uniform(0.1, 1.0, 12))
    return x * slow


def strokes(rng, n, per_s, pitched):
    x = np.zeros(n + RATE)
    for at in np.cumsum(rng.exponential(1 / per_s, int(per_s * n / RATE * 2))):
        i = int(at * RATE)
        if i >= n:
            break
        k = int(RATE * rng.uniform(0.005, 0.08))
        body = np.sin(2 * np.pi * rng.uniform(150, 3000) * np.arange(k) / RATE) if pitched else rng.standard_normal(k)
        x[i : i + k] += rng.uniform(0.3, 1) * body * np.exp(-np.arange(k) / (k / 5))
    return x[:n]


def glides(rng, n, voices):
    x = np.zeros(n)
    for _ in range(voices):
        knots = rng.uniform(np.log(80), np.log(1500), max(3, n // RATE // 3))
        hz = np.exp(np.interp(np.arange(n), np.linspace(0, n, len(knots)), knots))
        x += np.sin(2 * np.pi * np.cumsum(hz) / RATE)
    return x


def speech(i, path):
    voices = ["en", "en-us", "de", "fr", "en+f2", "en+m3", "es", "it", "en-gb-scotland", "en+f4"]
    text = " ".join(TEXTS[(i + k) % 4] for k in range(2))
    options = ["-v", voices[i % len(voices)], "-s", str(120 + 13 * (i % 6)), "-p", str(30 + 9 * (i % 5))]
    subprocess.run(["espeak-ng", *options, "-w", path, text], check=True)


def save(path, x):
    x = (x / max(1e-9, np.abs(x).max()) * 0.6 * 32767).astype("<i2")
    with wave.open(path, "wb") as out:
        out.setnchannels(1), out.setsampwidth(2), out.setframerate(RATE)
        out.writeframes(x.tobytes())


def main():
    folder, rows = sys.argv[1], []
    os.makedirs(os.path.join(folder, "audio"), exist_ok=True)
    kinds = {
        "noise": lambda rng, n, i: noise(rng, n, [0, 1, 2, -1][i % 4]),
        "swell": lambda rng, n, i: swelling(rng, n, noise(rng, n, [0, 1, 2][i % 3])),
        "strokes": lambda rng, n, i: strokes(rng, n, 1.0 + 0.8 * (i % 12), False),
        "pitched": lambda rng, n, i: strokes(rng, n, 1.0 + 0.8 * (i % 12), True),
        "glide": lambda rng, n, i: glides(rng, n, 1 + i % 3) + 0.01 * (i % 2) * rng.standard_normal(n),
    }
    for kind, make in kinds.items():
        for i in range(24):
            rng = np.random.default_rng([i, len(kind)])
            n = int(RATE * rng.uniform(8, 40))
            save(os.path.join(folder, "audio", f"{kind}_{i:02d}.wav"), make(rng, n, i))
            rows.append([f"audio/{kind}_{i:02d}.wav", "", "", "", f"negative-{kind}"])
    for i in range(30):
        speech(i, os.path.join(folder, "audio", f"speech_{i:02d}.wav"))
        rows.append([f"audio/speech_{i:02d}.wav", "", "", "", "negative-speech"])
    with open(os.path.join(folder, "negatives.csv"), "w") as out:
        csv.writer(out).writerows([["file", "bpm", "key", "beats", "group"], *rows])


main()
