"""A peer for paired timings: singular values of every convolution kernel along all cuts, by PyTorch or NumPy.

python3 spectra.py MODEL.onnx torch32|torch64|numpy64 THREADS
Gets the same shortcuts that need no thought: axes of extent 1 are dropped, equal cuts computed once, matrices of one row skipped,
wide matrices transposed (LAPACK's gesdd is faster on tall ones).
"""
import sys
import time
from itertools import combinations

import numpy
import onnx
from onnx import numpy_helper

model, library, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
if library.startswith('torch'):
    import torch
    torch.set_num_threads(threads)
graph = onnx.load(model).graph
stored = {tensor.name: tensor for tensor in graph.initializer}
kernels = [numpy_helper.to_array(stored[node.input[1]]) for node in graph.node if node.op_type == 'Conv' and node.input[1] in stored]


def matrices(kernel):
    long = kernel.reshape([extent for extent in kernel.shape if extent > 1])
    axes = range(long.ndim)
    for size in range(1, long.ndim // 2 + 1):
        for left in combinations(axes, size):
            right = tuple(axis for axis in axes if axis not in left)
            if 2 * size == long.ndim and 0 not in left:
                continue
            matrix = long.transpose(left + right).reshape(int(numpy.prod([long.shape[axis] for axis in left])), -1)
            yield matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T


def run():
    for kernel in kernels:
        for matrix in matrices(kernel.astype('float64' if library.endswith('64') else 'float32')):
            if library.startswith('torch'):
                torch.linalg.svdvals(torch.from_numpy(numpy.ascontiguousarray(matrix)))
            else:
                numpy.linalg.svd(matrix, compute_uv=False)


print('ready', library, flush=True)
for line in sys.stdin:
    start = time.perf_counter()
    for _ in range(int(line)):
        run()
    print(time.perf_counter() - start, flush=True)
