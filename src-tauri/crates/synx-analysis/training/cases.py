"""Reads manifests and evidence (`evidence MANIFEST`) into cases for the trainer."""
import csv, json, math, os, re
import numpy as np

NOTES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
WHOLE = [0.0, 1.0]


def parse_key(text):
    """-> (pitch class, mode) or None"""
    m = re.fullmatch(r"([A-G])([#b]?) (major|minor)", text or "")
    return m and ((NOTES[m[1]] + {"": 0, "#": 1, "b": -1}[m[2]]) % 12, m[3])


def hits(beats, reference):
    """Share of the beats that lie within 70 ms of one of the reference."""
    if len(beats) == 0:
        return 0.0
    at = np.clip(np.searchsorted(reference, beats), 1, len(reference) - 1)
    return float((np.minimum(abs(reference[at] - beats), abs(reference[at - 1] - beats)) < 0.07).mean())


def tempo_case(row, take, reference):
    bpm = np.array([t[0] for t in take["tempo"]])
    wanted = take["speed"] * float(row["bpm"])
    tempo_right = abs(bpm - wanted) <= 0.04 * wanted
    right = tempo_right.copy()
    if reference is not None and take["stretch"] == WHOLE:
        scaled = reference / take["speed"]
        in_phase = np.array([hits(np.array(t[2]), scaled) > 0.5 for t in take["tempo"]])
        if (right & in_phase).any():
            right &= in_phase
    x = np.array([t[1] for t in take["tempo"]])
    return dict(x=x, right=right, tempo_right=tempo_right, bpm=bpm, wanted=wanted, beats=[t[2] for t in take["tempo"]])


def key_case(wanted, take):
    keys = [parse_key(k) for k, _ in take["key"]]
    shifted = ((wanted[0] + round(12 * math.log2(take["speed"]))) % 12, wanted[1])
    x = np.array([f for _, f in take["key"]])
    return dict(x=x, right=np.array([k == shifted for k in keys]), keys=keys, wanted=shifted)


def load(manifest, evidence):
    """-> dict of lists: tempo, key; presence of either as (features, 1, 0 or None)"""
    rows = {row["file"]: row for row in csv.DictReader(open(manifest))}
    found = dict(tempo=[], key=[], tempo_presence=[], key_presence=[])
    for line in map(json.loads, open(evidence)):
        row = rows[line["file"]]
        path = os.path.join(os.path.dirname(manifest), "beats", row.get("beats") or "-")
        reference = np.array([float(t.split()[0]) for t in open(path) if t.strip()]) if os.path.isfile(path) else None
        key = parse_key(row["key"])
        negative = row["group"].startswith("negative")
        for take in line["evidence"]:
            common = dict(file=line["file"], group=row["group"], speed=take["speed"], whole=take["stretch"] == WHOLE)
            common["plain"] = common["whole"] and take["speed"] == 1.0
            if row["bpm"] and take["tempo"]:
                found["tempo"].append(common | tempo_case(row, take, reference))
            if key and take["key"]:
                found["key"].append(common | key_case(key, take))
            # Drums alone have no key; they are the grooves and loops of the open set and what we made without harmony.
            drums = row["group"].startswith(("groove", "made")) and not row["key"]
            for kind, yes, no in (("tempo", bool(row["bpm"]), negative), ("key", bool(key), negative or drums)):
                if yes or no:
                    x = np.array(take[kind + "_presence"])
                    found[kind + "_presence"].append(common | dict(x=x, yes=yes))
    return found
