"""Signals and maps without labels, made from a seed: python3 signals.py KIND COUNT SEED OUT.npy.

KIND is `ecg` (one lead, beats of 187 samples in [0, 1], as the heartbeat sets have them) or `clouds` (4 bands of 224×224, smooth noise whose
spectrum falls as that of clouds does, the bands alike but for haze).
"""

import sys

import numpy as np


def ecg(count, random):
    """A beat is a sum of bumps, P, Q, R, S and T, whose places, widths and heights vary; the end is cut off at a random place, as in MIT-BIH."""
    places, widths, heights = [20, 38, 42, 46, 78], [5, 1.5, 2, 1.5, 9], [0.12, -0.1, 1, -0.2, 0.3]
    t = np.arange(187)
    beats = np.zeros((count, 1, 187), np.float32)
    for beat in beats:
        for place, width, height in zip(places, widths, heights):
            centre = place * (1 + 0.06 * random.standard_normal()) - 30 + 10 * random.standard_normal()
            bump = np.exp(-(((t - centre) / (width * (1 + 0.3 * abs(random.standard_normal())))) ** 2) / 2)
            beat[0] += height * (1 + 0.4 * random.standard_normal()) * bump
        beat[0] += 0.02 * random.standard_normal(187) + 0.1 * np.sin(t / 187 * np.pi * random.uniform(0, 2))
        beat[0] = (beat[0] - beat[0].min()) / np.ptp(beat[0])
        beat[0, random.integers(90, 187) :] = 0
    return beats


def clouds(count, random):
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(224), np.fft.rfftfreq(224), indexing="ij"))
    maps = np.zeros((count, 4, 224, 224), np.float32)
    for sample in maps:
        field = np.fft.irfft2(np.fft.rfft2(random.standard_normal((224, 224))) / np.maximum(frequency, 1 / 224) ** 1.4)
        cover = np.clip(field / field.std() - random.uniform(-0.5, 1), 0, None)
        ground = random.uniform(0.05, 0.4, 4)
        for band in range(4):
            sample[band] = np.clip(ground[band] + cover * random.uniform(0.25, 0.35) + 0.02 * random.standard_normal((224, 224)), 0, 1)
    return maps


if __name__ == "__main__":
    kind, count, seed, out = sys.argv[1:]
    np.save(out, {"ecg": ecg, "clouds": clouds}[kind](int(count), np.random.default_rng(int(seed))))
