"""Chooses the labelled sample of samples/: the first 100 images of each class in Fashion-MNIST's test file, in the file's order.

    python3 experiments/sample/choose.py FOLDER samples/fashion-sample-t10k
"""

import gzip
import os
import sys

import numpy


def read_idx(folder, name):
    path = os.path.join(folder, name)
    with (open(path, "rb") if os.path.exists(path) else gzip.open(path + ".gz", "rb")) as file:
        data = file.read()
    rank = data[3]
    return numpy.frombuffer(data, numpy.uint8, offset=4 + 4 * rank).reshape(numpy.frombuffer(data, ">u4", rank, 4))


def write_idx(path, values):
    header = bytes([0, 0, 8, values.ndim]) + numpy.array(values.shape, ">u4").tobytes()
    with open(path, "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        packed.write(header + values.tobytes())


folder, stem = sys.argv[1:]
images, labels = read_idx(folder, "t10k-images-idx3-ubyte"), read_idx(folder, "t10k-labels-idx1-ubyte")
chosen = numpy.sort(numpy.concatenate([numpy.flatnonzero(labels == label)[:100] for label in range(10)]))
write_idx(f"{stem}-images-idx3-ubyte.gz", images[chosen])
write_idx(f"{stem}-labels-idx1-ubyte.gz", labels[chosen])
print(len(chosen), "images, the last is number", chosen[-1])
