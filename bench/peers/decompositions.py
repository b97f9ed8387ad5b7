"""A peer for paired timings: factorizations of one tensor by TensorLy (NumPy backend).

python3 decompositions.py TENSOR.npy cp|tucker2|tucker|tt|tr RANKS SWEEPS STARTS
RANKS is 12 or 12x9. Starts beyond the first are random. After "ready" it says the least relative error of its starts.
"""
import sys
import time
import warnings

import numpy
import tensorly
from tensorly.decomposition import parafac, partial_tucker, tensor_ring_als, tensor_train, tucker
from tensorly.tenalg import multi_mode_dot

warnings.filterwarnings('ignore')
tensor = numpy.load(sys.argv[1])
name, ranks = sys.argv[2], [int(rank) for rank in sys.argv[3].split('x')]
sweeps, starts = int(sys.argv[4]), int(sys.argv[5])


def fit(start):
    init = 'svd' if start == 0 else 'random'
    if name == 'cp':
        return parafac(tensor, ranks[0], n_iter_max=sweeps, init=init, tol=1e-8, random_state=start)
    if name == 'tucker':
        return tucker(tensor, ranks, n_iter_max=sweeps, init=init, tol=1e-7, random_state=start)
    if name == 'tucker2':
        return partial_tucker(tensor, ranks, modes=[0, 1], n_iter_max=sweeps, init=init, tol=1e-7, random_state=start)[0]
    if name == 'tt':
        return tensor_train(tensor, [1, *ranks, 1])
    return tensor_ring_als(tensor, [*ranks, ranks[0]], n_iter_max=sweeps, tol=1e-8, random_state=start)


def error(result):
    if name == 'cp':
        made = result.to_tensor()
    elif name == 'tucker2':
        core, factors = result
        made = multi_mode_dot(core, factors, modes=[0, 1])
    else:
        made = result.to_tensor()
    wide = tensor.astype('float64')
    return float(numpy.linalg.norm(wide - made) / numpy.linalg.norm(wide))


best = min(error(fit(start)) for start in range(starts))
print(f'ready {name} {"x".join(map(str, ranks))} relative error {best:.6f}', flush=True)
for line in sys.stdin:
    begin = time.perf_counter()
    for _ in range(int(line)):
        for start in range(starts):
            fit(start)
    print(time.perf_counter() - begin, flush=True)
