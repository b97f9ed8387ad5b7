"""Chooses the labelled sample of samples/: the first 100 images of each class in Fashion-MNIST's test file, in the file's order.

    python3 experiments/sample/choose.py FOLDER samples/fashion-sample-t10k
"""

import sys

import idx
import numpy

folder, stem = sys.argv[1:]
images, labels = idx.read(folder, "t10k-images-idx3-ubyte"), idx.read(folder, "t10k-labels-idx1-ubyte")
chosen = numpy.sort(numpy.concatenate([numpy.flatnonzero(labels == label)[:100] for label in range(10)]))
idx.write(f"{stem}-images-idx3-ubyte.gz", images[chosen])
idx.write(f"{stem}-labels-idx1-ubyte.gz", labels[chosen])
print(len(chosen), "images, the last is number", chosen[-1])
