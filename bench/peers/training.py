"""A training step (forward, backward, SGD with momentum) in PyTorch, channels-last: MODEL BATCH THREADS. Answers "N" with the seconds of N steps."""
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

model, batch, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
torch.set_num_threads(threads)


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        projects = stride != 1 or inputs != outputs
        self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)) if projects else nn.Identity()

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        return F.relu(self.bn2(self.conv2(y)) + self.shortcut(x), inplace=True)


def resnet(depth):
    layers = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True)]
    inputs = 16
    for stage, outputs in enumerate((16, 32, 64)):
        for block in range(depth // 6):
            layers.append(Block(inputs, outputs, 2 if stage and block == 0 else 1))
            inputs = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)), (3, 32, 32)


def lenet5():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)), (1, 28, 28)


def mobilenetv2():
    from mobilenetv2 import mobilenetv2 as make

    return make(), (3, 224, 224)


net, image = lenet5() if model == "lenet5" else mobilenetv2() if model == "mobilenetv2" else resnet(int(model.removeprefix("resnet")))
net = net.to(memory_format=torch.channels_last).train()
optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)
x = torch.rand(batch, *image).contiguous(memory_format=torch.channels_last)
labels = torch.randint(0, 10, (batch,))


def step():
    optimizer.zero_grad()
    F.cross_entropy(net(x), labels).backward()
    optimizer.step()


for _ in range(3):
    step()
print(f"ready: PyTorch {torch.__version__}, {threads} threads", flush=True)
for line in sys.stdin:
    start = time.perf_counter()
    for _ in range(int(line)):
        step()
    print(time.perf_counter() - start, flush=True)
