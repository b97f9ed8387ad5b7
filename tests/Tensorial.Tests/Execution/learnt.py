"""Writes small networks as PyTorch exports them, and says which of their constants are parameters: python3 learnt.py FOLDER.

For each network FOLDER has NAME.onnx and NAME.txt: a line "parameter NAME" or "buffer NAME" for each tensor of the module.
"""

import sys
import warnings

import onnx
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper
from torch import nn

warnings.filterwarnings("ignore")


class Base(nn.Module):
    """Ends in a layer, so that scales at the end are behind one and before one."""

    def __init__(self, c=6):
        super().__init__()
        self.stem = nn.Conv2d(3, c, 3, padding=1)
        self.head = nn.Linear(c, 4)

    def forward(self, x):
        return self.head(self.body(self.stem(x)).mean((2, 3)))


def vector(*shape):
    return nn.Parameter(torch.randn(*shape))


class Bias(Base):
    """Add after Conv."""

    def __init__(self):
        super().__init__()
        self.bias = vector(6, 1, 1)

    def body(self, x):
        return F.relu(x + self.bias)


class Affine(Base):
    """Mul and Add, constants first."""

    def __init__(self):
        super().__init__()
        self.scale, self.shift = vector(1, 6, 1, 1), vector(1, 6, 1, 1)

    def body(self, x):
        return F.relu(self.shift + self.scale * x)


class Norm(Base):
    """A layer normalisation in pieces, over channels."""

    def __init__(self):
        super().__init__()
        self.scale, self.shift = vector(6), vector(6)

    def body(self, x):
        x = x.permute(0, 2, 3, 1)
        m = x.mean(-1, keepdim=True)
        v = (x - m).pow(2).mean(-1, keepdim=True)
        return ((x - m) / torch.sqrt(v + 1e-6) * self.scale + self.shift).permute(0, 3, 1, 2)


class RmsNorm(Base):
    def __init__(self):
        super().__init__()
        self.scale = vector(6, 1, 1)

    def body(self, x):
        return x * torch.rsqrt(x.pow(2).mean(1, keepdim=True) + 1e-6) * self.scale


class LayerScale(Base):
    def __init__(self):
        super().__init__()
        self.inner, self.gamma = nn.Conv2d(6, 6, 1), vector(6, 1, 1)

    def body(self, x):
        return x + self.gamma * self.inner(x)


class ReZero(Base):
    """A single learnt number."""

    def __init__(self):
        super().__init__()
        self.inner, self.alpha = nn.Conv2d(6, 6, 1), nn.Parameter(torch.tensor(0.31415927))

    def body(self, x):
        return x + self.alpha * self.inner(x)


class Shifted(Base):
    """What is subtracted and divided by."""

    def __init__(self):
        super().__init__()
        self.mean, self.deviation = vector(6, 1, 1), nn.Parameter(1 + torch.rand(6, 1, 1))

    def body(self, x):
        return (x - self.mean) / self.deviation


class Positions(Base):
    """Position embeddings of a transformer, and a class token."""

    def __init__(self):
        super().__init__()
        self.positions, self.token = vector(1, 26, 6), vector(1, 1, 6)

    def body(self, x):
        n = x.flatten(2).transpose(1, 2)
        n = torch.cat([self.token.expand(n.shape[0], -1, -1), n], 1) + self.positions
        return n.transpose(1, 2).unsqueeze(-1)


class WeightNorm(Base):
    def __init__(self):
        super().__init__()
        self.inner = nn.utils.weight_norm(nn.Conv2d(6, 6, 3, padding=1))

    def body(self, x):
        return self.inner(x)


class Standardized(Base):
    """Weights that are normalised before they are used, and read twice."""

    def __init__(self):
        super().__init__()
        self.weight = vector(6, 6, 3, 3)

    def body(self, x):
        w = (self.weight - self.weight.mean((1, 2, 3), keepdim=True)) / (self.weight.std((1, 2, 3), keepdim=True) + 1e-5)
        return F.conv2d(F.relu(F.conv2d(x, w, padding=1)), self.weight, padding=1)


class LowRank(Base):
    """A weight plus a product of two."""

    def __init__(self):
        super().__init__()
        self.w, self.a, self.b = vector(6, 6), vector(6, 2), vector(2, 6)

    def body(self, x):
        return (x.permute(0, 2, 3, 1) @ (self.w + self.a @ self.b)).permute(0, 3, 1, 2)


class Recurrent(Base):
    def __init__(self, kind):
        super().__init__()
        self.inner = kind(6, 6, batch_first=True, bidirectional=False)

    def body(self, x):
        return self.inner(x.flatten(2).transpose(1, 2))[0].transpose(1, 2).unsqueeze(-1)


class Groups(Base):
    def __init__(self):
        super().__init__()
        self.inner = nn.GroupNorm(2, 6)
        nn.init.normal_(self.inner.weight), nn.init.normal_(self.inner.bias)

    def body(self, x):
        return self.inner(x)


class Batch(Base):
    def __init__(self):
        super().__init__()
        self.norm, self.slopes = nn.BatchNorm2d(6), nn.PReLU(6)
        for p in (self.norm.weight, self.norm.bias, self.norm.running_mean, self.slopes.weight):
            nn.init.normal_(p)
        nn.init.uniform_(self.norm.running_var, 0.5, 2)

    def body(self, x):
        return self.slopes(self.norm(F.relu(x)))


class Grid(Base):
    """Centres of cells and strides, as detectors have them: buffers, not parameters."""

    def __init__(self):
        super().__init__()
        self.register_buffer("grid", torch.stack(torch.meshgrid(torch.arange(5) + 0.5, torch.arange(5) + 0.5)).repeat(3, 1, 1))
        self.register_buffer("strides", torch.full((6, 5, 5), 8.0))

    def body(self, x):
        return (x + self.grid) * self.strides


class Attention(Base):
    def __init__(self):
        super().__init__()
        self.inner = nn.MultiheadAttention(6, 2, batch_first=True)
        self.bias = vector(25, 25)
        nn.init.normal_(self.inner.in_proj_bias), nn.init.normal_(self.inner.out_proj.bias)

    def body(self, x):
        t = x.flatten(2).transpose(1, 2)
        return self.inner(t, t, t, attn_mask=self.bias)[0].transpose(1, 2).unsqueeze(-1)


class Gelu(Base):
    """Numbers that are part of a function's form."""

    def body(self, x):
        a = 0.5 * x * (1 + torch.tanh(0.7978845608 * (x + 0.044715 * x**3)))
        return a * torch.sigmoid(1.702 * a) + F.selu(a) * F.hardtanh(a, -0.3, 0.7) + x / 6 + 1.4142135 * x


NETWORKS = {
    name.lower(): make
    for name, make in [
        *((c.__name__, c) for c in (Bias, Affine, Norm, RmsNorm, LayerScale, ReZero, Shifted, Positions, WeightNorm, Standardized)),
        *((c.__name__, c) for c in (LowRank, Groups, Batch, Grid, Attention, Gelu)),
        *((kind.__name__, lambda kind=kind: Recurrent(kind)) for kind in (nn.LSTM, nn.GRU, nn.RNN)),
    ]
}


def half(model):
    """Weights in float16, widened by a Cast where they are read."""
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype("float16"), name))
        casts.append(helper.make_node("Cast", [name], [name + "/wide"], to=TensorProto.FLOAT))
        for node in model.graph.node:
            for i, read in enumerate(node.input):
                if read == name:
                    node.input[i] = name + "/wide"
    return rewritten(model, casts)


def behind(model, operation):
    """Weights behind Identity nodes, or in Constant nodes."""
    nodes, kept = [], []
    for tensor in model.graph.initializer:
        name = tensor.name
        if operation == "Constant":
            nodes.append(helper.make_node("Constant", [], [name], value=tensor))
            continue
        kept.append(tensor)
        nodes.append(helper.make_node("Identity", [name], [name + "/same"]))
        for node in model.graph.node:
            for i, read in enumerate(node.input):
                if read == name:
                    node.input[i] = name + "/same"
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    return rewritten(model, nodes)


def rewritten(model, first):
    nodes = first + list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model)
    return model


def main(folder):
    for name, make in NETWORKS.items():
        torch.manual_seed(1)
        module = make().eval()
        path = f"{folder}/{name}.onnx"
        torch.onnx.export(
            module, torch.zeros(2, 3, 5, 5), path, opset_version=13, do_constant_folding=False,
            input_names=["x"], output_names=["y"], dynamic_axes={"x": {0: "N"}, "y": {0: "N"}},
        )
        lines = [f"parameter {p}" for p, _ in module.named_parameters()] + [f"buffer {b}" for b, _ in module.named_buffers()]
        model = onnx.load(path)
        present = {t.name for t in model.graph.initializer}
        # The exporter renames what it joins: a recurrent layer's matrices.
        lines = [line for line in lines if line.split()[1] in present or "inner" in line]
        variants = {name: model}
        if name in ("batch", "affine", "norm", "layerscale"):
            for kind, change in (("half", half), ("identity", lambda m: behind(m, "Identity")), ("constant", lambda m: behind(m, "Constant"))):
                variants[f"{name}_{kind}"] = change(onnx.load(path))
        for variant, network in variants.items():
            onnx.save(network, f"{folder}/{variant}.onnx")
            with open(f"{folder}/{variant}.txt", "w") as file:
                file.write("\n".join(lines) + "\n")


main(sys.argv[1])
