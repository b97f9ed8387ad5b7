"""
Three 3×3 layers in a row as TensorLy-Torch's FactorizedConv trains them (pip's tensorly-torch): THREADS. A line of JSON gives format,
ranks, channels, extent and images, and is answered with the index of its fastest implementation; "step N" with the seconds of N forward
and backward passes in that one.
"""
import json
import sys
import time
import warnings

warnings.filterwarnings("ignore")
import tltorch
import torch

torch.set_num_threads(int(sys.argv[1]))
print(f"ready: TensorLy-Torch {tltorch.__version__} on PyTorch {torch.__version__}, {sys.argv[1]} threads", flush=True)

IMPLEMENTATIONS = {"cp": ["factorized", "mobilenet", "reconstructed"], "tucker2": ["factorized", "reconstructed"], "tt": ["factorized", "reconstructed"]}


def layer(spec, implementation):
    """Our ranks in its order of modes: the kernel's o, i, h, w; for trains i, h, w, o with the bonds at both ends."""
    kind, ranks = spec["format"], spec["ranks"]
    rank = {"cp": ranks[0], "tucker2": [ranks[-1], ranks[0], 3, 3], "tt": [1, *ranks, 1]}[kind]
    conv = tltorch.FactorizedConv(
        spec["channels"], spec["channels"], 3, order=2, padding=1, factorization="tucker" if kind == "tucker2" else kind, rank=rank, implementation=implementation)
    conv.weight.normal_(0, 0.02)
    return conv


def load(spec, implementation):
    net = torch.nn.Sequential(*(layer(spec, implementation) for _ in range(3)))
    images = torch.rand(spec["images"], spec["channels"], spec["extent"], spec["extent"])

    def step():
        for parameter in net.parameters():
            parameter.grad = None
        net(images).mean((2, 3)).sum().backward()

    return step


def seconds(step, count):
    start = time.perf_counter()
    for _ in range(count):
        step()
    return time.perf_counter() - start


for line in sys.stdin:
    if line.startswith("{"):
        spec = json.loads(line)
        steps = [load(spec, implementation) for implementation in IMPLEMENTATIONS[spec["format"]]]
        for step in steps:
            step()
        times = [min(seconds(step, 1) for _ in range(3)) for step in steps]
        fastest = times.index(min(times))
        step = steps[fastest]
        print(fastest, flush=True)
        continue
    print(seconds(step, int(line.split()[1])), flush=True)
