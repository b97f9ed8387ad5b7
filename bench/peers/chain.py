"""
Layers in factors as PyTorch runs them, channels-last: THREADS. A line of JSON gives a network as nodes; a line "forward N" or "step N" is answered with the
seconds of N forward passes, or of N forward and backward passes.
"""
import json
import sys
import time

import torch
import torch.nn.functional as F

torch.set_num_threads(int(sys.argv[1]))
print(f"ready: PyTorch {torch.__version__}, {sys.argv[1]} threads", flush=True)


def load(spec):
    weights = {name: torch.randn(*shape).mul_(0.05) for name, shape in spec["weights"].items()}
    for name, weight in weights.items():
        weights[name] = (weight.contiguous(memory_format=torch.channels_last) if weight.dim() == 4 else weight).requires_grad_()
    images = torch.rand(*spec["images"]).contiguous(memory_format=torch.channels_last)

    def forward():
        values = {**weights, spec["input"]: images}
        for kind, inputs, output, how in spec["nodes"]:
            x = values[inputs[0]]
            if kind == "conv":
                values[output] = F.conv2d(x, values[inputs[1]], padding=how["padding"], groups=how["groups"])
            elif kind == "matmul":
                values[output] = x @ values[inputs[1]]
            elif kind == "mul":
                values[output] = x * values[inputs[1]]
            elif kind == "reshape":
                values[output] = x.reshape([x.shape[k] if extent == 0 else extent for k, extent in enumerate(how)])
            elif kind == "transpose":
                values[output] = x.permute(how)
        return values[spec["output"]].mean((2, 3))

    return weights, forward


for line in sys.stdin:
    if line.startswith("{"):
        weights, forward = load(json.loads(line))
        for _ in range(2):
            forward().sum().backward()
        print(0.0, flush=True)
        continue
    what, count = line.split()
    start = time.perf_counter()
    for _ in range(int(count)):
        if what == "forward":
            forward()
        else:
            for weight in weights.values():
                weight.grad = None
            forward().sum().backward()
    print(time.perf_counter() - start, flush=True)
