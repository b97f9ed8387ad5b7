"""MobileNetV2 for 224 x 224 images (Sandler et al., CVPR 2018, table 2) with ten classes and random weights (seed 0).

/usr/bin/python3 bench/peers/mobilenetv2.py OUT.onnx    writes it as ONNX, in the form in which it is trained
"""
import sys

import torch
from torch import nn


def block(inputs, outputs, kernel, stride=1, groups=1):
    return [nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(outputs), nn.ReLU6()]


class Inverted(nn.Module):
    def __init__(self, inputs, outputs, stride, expansion):
        super().__init__()
        wide = inputs * expansion
        self.adds = stride == 1 and inputs == outputs
        self.body = nn.Sequential(
            *(block(inputs, wide, 1) if expansion > 1 else []),
            *block(wide, wide, 3, stride, wide),
            nn.Conv2d(wide, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )

    def forward(self, x):
        return x + self.body(x) if self.adds else self.body(x)


def mobilenetv2(classes=10):
    layers, inputs = block(3, 32, 3, 2), 32
    for expansion, outputs, count, stride in (
        (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
    ):
        for index in range(count):
            layers.append(Inverted(inputs, outputs, stride if index == 0 else 1, expansion))
            inputs = outputs
    return nn.Sequential(*layers, *block(inputs, 1280, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, classes))


if __name__ == "__main__":
    torch.manual_seed(0)
    torch.onnx.export(mobilenetv2().eval(), torch.zeros(1, 3, 224, 224), sys.argv[1], opset_version=13, input_names=["input"],
                      output_names=["logits"], dynamic_axes={"input": {0: "N"}, "logits": {0: "N"}},
                      training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False)
