"""A peer for paired timings: JPEG files to normalised batches by Pillow and NumPy, in several processes.

python3 pictures.py DIR COUNT PROCESSES
Makes COUNT files of 500×375 pixels in DIR unless it is there.
"""
import multiprocessing
import os
import sys
import time

import numpy
import PIL
from PIL import Image

folder, count, processes = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
mean, deviation = numpy.float32([.485, .456, .406]), numpy.float32([.229, .224, .225])


def make():
    os.makedirs(folder)
    random = numpy.random.default_rng(0)
    y, x = numpy.mgrid[0:375, 0:500]
    for k in range(count):
        f = random.uniform(.01, .1, 9)
        waves = [127 + 60 * numpy.sin(f[c] * x + k) * numpy.cos(f[c + 3] * y) + 40 * numpy.sin(f[c + 6] * (x + y)) for c in range(3)]
        pixels = numpy.stack(waves, -1) + random.normal(0, 5, (375, 500, 3))
        Image.fromarray(pixels.clip(0, 255).astype('u1')).save(f'{folder}/{k:04d}.jpg', quality=85)


def load(name):
    image = Image.open(f'{folder}/{name}').convert('RGB')
    width, height = image.size
    size = (256, 256 * height // width) if width < height else (256 * width // height, 256)
    image = image.resize(size, Image.BILINEAR)
    left, top = round((image.width - 224) / 2), round((image.height - 224) / 2)
    pixels = numpy.asarray(image.crop((left, top, left + 224, top + 224)), numpy.float32) / 255
    return ((pixels - mean) / deviation).transpose(2, 0, 1)


if not os.path.isdir(folder):
    make()
files = sorted(os.listdir(folder))
with multiprocessing.Pool(processes) as pool:
    print(f'ready: Pillow {PIL.__version__}, {processes} processes', flush=True)
    for line in sys.stdin:
        start = time.perf_counter()
        for _ in range(int(line)):
            batch = []
            for pixels in pool.imap(load, files, chunksize=8):
                batch.append(pixels)
                if len(batch) == 32:
                    numpy.stack(batch)
                    batch = []
        print(time.perf_counter() - start, flush=True)
