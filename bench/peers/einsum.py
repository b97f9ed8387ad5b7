"""A peer for paired timings: an expression in PyTorch over operands of given shapes.

python3 einsum.py EXPRESSION SHAPES THREADS [backward]
The expression names its operands x0, x1, …; SHAPES are such as 8x16x32x32,4x16. With "backward", gradients of all operands as well.
"""
import sys
import time

import torch
import torch.nn.functional as F

expression, shapes, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
backward = len(sys.argv) > 4
torch.set_num_threads(threads)
torch.manual_seed(1)
operands = [torch.rand(*map(int, shape.split('x')), requires_grad=backward) for shape in shapes.split(',')]
names = {f'x{i}': operand for i, operand in enumerate(operands)} | {'F': F, 'torch': torch}
compiled = compile(expression, 'expression', 'eval')


def run():
    if not backward:
        with torch.no_grad():
            eval(compiled, names)
        return
    result = eval(compiled, names)
    torch.autograd.grad(result, operands, result.detach())


for _ in range(3):
    run()
print('ready', torch.__version__, expression, flush=True)
for line in sys.stdin:
    start = time.perf_counter()
    for _ in range(int(line)):
        run()
    print(time.perf_counter() - start, flush=True)
