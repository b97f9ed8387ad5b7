"""Writes small networks of many architectures as PyTorch exports them: python3 networks.py FOLDER [NAME...].

Weights are random, so that files stay small; what the tool does with a network does not depend on what it was trained for.
"""

import sys
import warnings

import torch
import torch.nn.functional as F
from torch import nn

warnings.filterwarnings("ignore")


def conv(i, o, k=3, s=1, g=1, act=nn.ReLU):
    return nn.Sequential(nn.Conv2d(i, o, k, s, k // 2, groups=g, bias=False), nn.BatchNorm2d(o), act() if act else nn.Identity())


class Residual(nn.Module):
    def __init__(self, *body, join=None):
        super().__init__()
        self.body, self.join = nn.Sequential(*body), join or (lambda x, y: x + y)

    def forward(self, x):
        return self.join(x, self.body(x))


class SqueezeExcite(nn.Module):
    def __init__(self, c, r=4, gate=nn.Sigmoid):
        super().__init__()
        self.a, self.b, self.gate = nn.Conv2d(c, c // r, 1), nn.Conv2d(c // r, c, 1), gate()

    def forward(self, x):
        return x * self.gate(self.b(F.relu(self.a(F.adaptive_avg_pool2d(x, 1)))))


class Head(nn.Module):
    def __init__(self, c, k=10):
        super().__init__()
        self.fc = nn.Linear(c, k)

    def forward(self, x):
        return self.fc(x.mean((2, 3)))


def inverted(c, e=4, act=nn.ReLU6, k=3, se=False):
    mid = [SqueezeExcite(c * e)] if se else []
    return Residual(conv(c, c * e, 1, act=act), conv(c * e, c * e, k, g=c * e, act=act), *mid, conv(c * e, c, 1, act=None))


class Shuffle(nn.Module):
    def __init__(self, c):
        super().__init__()
        h = c // 2
        self.branch = nn.Sequential(conv(h, h, 1), conv(h, h, 3, g=h, act=None), conv(h, h, 1))

    def forward(self, x):
        a, b = x.chunk(2, 1)
        x = torch.cat([a, self.branch(b)], 1)
        n, c, h, w = x.shape
        return x.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)


class Dense(nn.Module):
    def __init__(self, c, growth=12, layers=3):
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Sequential(nn.BatchNorm2d(c + k * growth), nn.ReLU(), nn.Conv2d(c + k * growth, growth, 3, padding=1))
            for k in range(layers)
        )

    def forward(self, x):
        for layer in self.layers:
            x = torch.cat([x, layer(x)], 1)
        return x


class Inception(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.branches = nn.ModuleList(
            [
                conv(c, 16, 1),
                nn.Sequential(conv(c, 12, 1), conv(12, 16, 5)),
                nn.Sequential(nn.Conv2d(c, 16, (1, 7), padding=(0, 3)), nn.Conv2d(16, 16, (7, 1), padding=(3, 0))),
                nn.Sequential(nn.AvgPool2d(3, 1, 1), conv(c, 16, 1)),
            ]
        )

    def forward(self, x):
        return torch.cat([branch(x) for branch in self.branches], 1)


class UNet(nn.Module):
    def __init__(self, up="transpose"):
        super().__init__()
        self.a, self.b, self.c = conv(3, 16), conv(16, 32), conv(32, 32)
        self.up = (
            nn.ConvTranspose2d(32, 16, 2, 2)
            if up == "transpose"
            else nn.Sequential(nn.Upsample(scale_factor=2, mode=up), nn.Conv2d(32, 16, 1))
        )
        self.d, self.out = conv(32, 16), nn.Conv2d(16, 2, 1)

    def forward(self, x):
        a = self.a(x)
        c = self.c(self.b(F.max_pool2d(a, 2)))
        return torch.sigmoid(self.out(self.d(torch.cat([self.up(c), a], 1))))


class Attention(nn.Module):
    def __init__(self, d=48, heads=4, fused=True):
        super().__init__()
        self.heads, self.fused = heads, fused
        self.qkv = nn.Linear(d, 3 * d) if fused else nn.ModuleList(nn.Linear(d, d) for _ in range(3))
        self.out = nn.Linear(d, d)

    def forward(self, x):
        n, t, d = x.shape
        if self.fused:
            q, k, v = self.qkv(x).view(n, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        else:
            q, k, v = (m(x).view(n, t, self.heads, d // self.heads).transpose(1, 2) for m in self.qkv)
        a = torch.softmax(q @ k.transpose(-2, -1) * (d // self.heads) ** -0.5, -1)
        return self.out((a @ v).transpose(1, 2).reshape(n, t, d))


class Vit(nn.Module):
    def __init__(self, fused=True, d=48):
        super().__init__()
        self.patch, self.pos = nn.Conv2d(3, d, 4, 4), nn.Parameter(torch.randn(1, 65, d) * 0.02)
        self.token = nn.Parameter(torch.randn(1, 1, d))
        self.n1, self.n2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.attention = Attention(d, fused=fused)
        self.mlp = nn.Sequential(nn.Linear(d, 4 * d), nn.GELU(), nn.Linear(4 * d, d))
        self.head = nn.Linear(d, 10)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.pos
        x = x + self.attention(self.n1(x))
        x = x + self.mlp(self.n2(x))
        return self.head(x[:, 0])


class ConvNext(nn.Module):
    def __init__(self, c=32):
        super().__init__()
        self.stem, self.dw, self.norm = nn.Conv2d(3, c, 4, 4), nn.Conv2d(c, c, 7, padding=3, groups=c), nn.LayerNorm(c)
        self.a, self.b, self.scale = nn.Linear(c, 4 * c), nn.Linear(4 * c, c), nn.Parameter(torch.full((c,), 0.5))
        self.head = Head(c)

    def forward(self, x):
        x = self.stem(x)
        y = self.b(F.gelu(self.a(self.norm(self.dw(x).permute(0, 2, 3, 1)))))
        return self.head(x + (self.scale * y).permute(0, 3, 1, 2))


class Tagger(nn.Module):
    def __init__(self, cell=nn.LSTM, both=True):
        super().__init__()
        self.embed, self.rnn = nn.Embedding(200, 32), cell(32, 48, batch_first=True, bidirectional=both)
        self.out = nn.Linear(96 if both else 48, 9)

    def forward(self, tokens):
        return self.out(self.rnn(self.embed(tokens))[0])


class Tcn(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(nn.utils.weight_norm(nn.Conv1d(1 if k == 0 else 32, 32, 5, dilation=2**k)) for k in range(4))
        self.out = nn.Conv1d(32, 4, 1)

    def forward(self, x):
        for k, layer in enumerate(self.layers):
            x = F.relu(layer(F.pad(x, (4 * 2**k, 0))))
        return self.out(x)


class Video(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv3d(3, 16, 3, padding=1), nn.BatchNorm3d(16), nn.ReLU(), nn.MaxPool3d(2), nn.Conv3d(16, 32, (3, 1, 1), padding=(1, 0, 0)),
            nn.ReLU(), nn.Conv3d(32, 32, (1, 3, 3), padding=(0, 1, 1)), nn.ReLU(), nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(32, 5)
        )  # fmt: skip

    def forward(self, x):
        return self.body(x)


class SuperResolution(nn.Module):
    def __init__(self, final="shuffle"):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 32, 5, padding=2), nn.Tanh(), nn.Conv2d(32, 32, 3, padding=1), nn.PReLU(32))
        self.up = (
            nn.Sequential(nn.Conv2d(32, 9, 3, padding=1), nn.PixelShuffle(3))
            if final == "shuffle"
            else nn.ConvTranspose2d(32, 1, 9, 3, 3)
        )

    def forward(self, x):
        return self.up(self.body(x))


class Ssd(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Sequential(conv(3, 24, s=2), conv(24, 32, s=2)), conv(32, 48, s=2)
        self.boxes = nn.ModuleList(nn.Conv2d(c, 4 * 3, 3, padding=1) for c in (32, 48))
        self.scores = nn.ModuleList(nn.Conv2d(c, 5 * 3, 3, padding=1) for c in (32, 48))

    def forward(self, x):
        a = self.a(x)
        levels = [a, self.b(a)]
        boxes = [m(x).permute(0, 2, 3, 1).reshape(x.shape[0], -1, 4) for m, x in zip(self.boxes, levels)]
        scores = [m(x).permute(0, 2, 3, 1).reshape(x.shape[0], -1, 5) for m, x in zip(self.scores, levels)]
        return torch.cat(boxes, 1), torch.softmax(torch.cat(scores, 1), -1)


class Siamese(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.out = nn.Sequential(conv(3, 24), conv(24, 24, s=2), Head(24, 16)), nn.Linear(32, 1)

    def forward(self, left, right):
        return torch.sigmoid(self.out(torch.cat([self.body(left), self.body(right)], 1)))


class Mixed(nn.Module):
    """A picture and a vector go in, two heads come out."""

    def __init__(self):
        super().__init__()
        self.body, self.side = nn.Sequential(conv(3, 24), conv(24, 32, s=2)), nn.Linear(6, 32)
        self.one, self.two = Head(32, 7), nn.Linear(32, 3)

    def forward(self, image, vector):
        x = self.body(image) + torch.tanh(self.side(vector))[:, :, None, None]
        return self.one(x), self.two(x.mean((2, 3)))


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.ConvTranspose2d(32, 48, 4), nn.BatchNorm2d(48), nn.ReLU(), nn.ConvTranspose2d(48, 24, 4, 2, 1), nn.InstanceNorm2d(24, affine=True),
            nn.LeakyReLU(0.2), nn.ConvTranspose2d(24, 3, 4, 2, 1), nn.Tanh()
        )  # fmt: skip

    def forward(self, z):
        return self.body(z)


class Landmarks(nn.Module):
    """Coordinates, which are no class scores though they have their shape."""

    def __init__(self):
        super().__init__()
        self.body, self.out = nn.Sequential(conv(3, 16, s=2), inverted(16), conv(16, 32, s=2)), nn.Linear(32 * 8 * 8, 20)

    def forward(self, x):
        return self.out(self.body(x).view(1, -1))


class Embedding(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(conv(3, 24, act=nn.PReLU), conv(24, 32, s=2, act=nn.PReLU), Head(32, 64))

    def forward(self, x):
        return F.normalize(self.body(x), dim=1)


class Shared(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.layer, self.out = conv(3, 24), nn.Conv2d(24, 24, 3, padding=1), Head(24)

    def forward(self, x):
        x = self.stem(x)
        for _ in range(3):
            x = F.relu(self.layer(x)) + x
        return self.out(x)


class Ocr(nn.Module):
    """Convolutions, then a recurrent layer over the columns."""

    def __init__(self):
        super().__init__()
        self.body, self.rnn = nn.Sequential(conv(1, 24, s=2), conv(24, 32), nn.AdaptiveAvgPool2d((1, 16))), nn.GRU(32, 32, bidirectional=True)
        self.out = nn.Linear(64, 37)

    def forward(self, x):
        x = self.body(x).squeeze(2).permute(2, 0, 1)
        return F.log_softmax(self.out(self.rnn(x)[0]), -1)


class Encoder(nn.Module):
    """A transformer of text with a mask."""

    def __init__(self):
        super().__init__()
        self.embed, self.n, self.attention = nn.Embedding(100, 48), nn.LayerNorm(48), Attention(48, fused=False)
        self.mlp = nn.Sequential(nn.Linear(48, 96), nn.ReLU(), nn.Linear(96, 48))

    def forward(self, tokens, mask):
        x = self.embed(tokens) * mask.unsqueeze(-1)
        x = x + self.attention(self.n(x))
        return torch.tanh((x + self.mlp(x))[:, 0])


def image(*shape):
    return (torch.randn(*shape),)


picture = image(1, 3, 32, 32)
body = lambda *blocks, c=24, k=10: nn.Sequential(conv(3, c), *blocks, Head(c, k))  # noqa: E731

# name: network, inputs, and what differs from a fixed batch at operator set 13
NETWORKS = {
    "mobilenet2": (body(inverted(24), inverted(24)), picture, {}),
    "mobilenet3": (body(inverted(24, act=nn.Hardswish, k=5, se=True)), picture, {"opset": 14}),
    "efficientnet": (body(inverted(24, act=nn.SiLU, se=True)), picture, {"dynamic": True}),
    "shufflenet": (body(Shuffle(24), Shuffle(24)), picture, {"opset": 11}),
    "resnext": (body(Residual(conv(24, 48, 1), conv(48, 48, g=6), conv(48, 24, 1, act=None))), picture, {"opset": 9}),
    "densenet": (nn.Sequential(conv(3, 24), Dense(24), Head(60)), picture, {"opset": 10, "dynamic": True}),
    "inception": (nn.Sequential(conv(3, 24), Inception(24), Head(64)), picture, {"opset": 12}),
    "unet_transpose": (UNet(), picture, {"dynamic": True}),
    "unet_bilinear": (UNet("bilinear"), picture, {"opset": 11}),
    "unet_nearest": (UNet("nearest"), picture, {"opset": 17, "open": True}),
    "vit_fused": (Vit(), picture, {"opset": 14}),
    "vit_split": (Vit(False), picture, {"opset": 17, "dynamic": True}),
    "convnext": (ConvNext(), picture, {"opset": 15}),
    "lstm": (Tagger(), (torch.randint(0, 200, (1, 12)),), {}),
    "gru": (Tagger(nn.GRU, False), (torch.randint(0, 200, (1, 12)),), {"dynamic": True}),
    "rnn": (Tagger(nn.RNN), (torch.randint(0, 200, (2, 7)),), {"opset": 11}),
    "tcn": (Tcn(), image(1, 1, 128), {"dynamic": True}),
    "tcn_open": (Tcn(), image(1, 1, 128), {"opset": 16, "open": True}),
    "video": (Video(), image(1, 3, 8, 24, 24), {}),
    "espcn": (SuperResolution(), image(1, 1, 24, 24), {"opset": 12, "open": True}),
    "fsrcnn": (SuperResolution("transpose"), image(1, 1, 24, 24), {}),
    "ssd": (Ssd(), picture, {"opset": 11}),
    "ssd_dynamic": (Ssd(), picture, {"dynamic": True}),
    "siamese": (Siamese(), picture * 2, {"dynamic": True}),
    "mixed": (Mixed(), (*picture, torch.randn(1, 6)), {}),
    "gan": (Generator(), image(1, 32, 1, 1), {"dynamic": True}),
    "landmarks": (Landmarks(), picture, {"opset": 11}),
    "embedding": (Embedding(), picture, {"dynamic": True}),
    "shared": (Shared(), picture, {}),
    "ocr": (Ocr(), image(1, 1, 32, 64), {"opset": 11}),
    "encoder": (Encoder(), (torch.randint(0, 100, (1, 10)), torch.ones(1, 10)), {"dynamic": True}),
    "weights_as_inputs": (body(Residual(conv(24, 24), conv(24, 24, act=None))), picture, {"opset": 9, "inputs": True}),
    "unfolded": (body(Residual(conv(24, 24), conv(24, 24, act=None))), picture, {"fold": False}),
    "training_bn": (body(Residual(conv(24, 24), conv(24, 24, act=None))), picture, {"mode": "preserve"}),
    "double": (body(conv(24, 24)).double(), (picture[0].double(),), {}),
    "sequence_first": (nn.TransformerEncoderLayer(48, 4, 96), image(10, 1, 48), {"opset": 14}),
    "mlp": (nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10), nn.Softmax(1)), image(1, 1, 28, 28), {"dynamic": True}),
    "group_norm": (body(nn.Conv2d(24, 24, 3, padding=1), nn.GroupNorm(4, 24), nn.Mish()), picture, {}),
    "asymmetric": (body(nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(24, 24, 3, 2), nn.ELU()), picture, {"dynamic": True}),
    "dilated": (nn.Sequential(conv(3, 24), nn.Conv2d(24, 24, 3, padding=4, dilation=4), nn.Conv2d(24, 21, 1)), picture, {"open": True}),
}  # fmt: skip


def export(name, folder):
    torch.manual_seed(0)
    network, inputs, options = NETWORKS[name]
    names = [f"input{k}" if len(inputs) > 1 else "input" for k in range(len(inputs))]
    network.train()
    with torch.no_grad():
        for m in network.modules():
            # Statistics as training leaves them, not zeros and ones.
            if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)):
                m.running_mean.normal_(0, 0.2), m.running_var.uniform_(0.5, 1.5), m.weight.uniform_(0.5, 1.5), m.bias.normal_(0, 0.2)
    network.eval()
    with torch.no_grad():
        answers = network(*inputs)
    outputs = [f"output{k}" for k in range(len(answers))] if isinstance(answers, tuple) else ["output"]
    axes = {}
    if options.get("dynamic"):
        axes = {one: {0: "batch"} for one in names + outputs}
    if options.get("open"):
        axes = {one: {k: f"axis{k}" for k in (0, *range(2, inputs[0].dim()))} for one in names + outputs}
    mode = {"preserve": torch.onnx.TrainingMode.PRESERVE}.get(options.get("mode"), torch.onnx.TrainingMode.EVAL)
    torch.onnx.export(
        network,
        inputs,
        f"{folder}/{name}.onnx",
        opset_version=options.get("opset", 13),
        input_names=names,
        output_names=outputs,
        dynamic_axes=axes,
        training=mode,
        do_constant_folding=options.get("fold", True),
        keep_initializers_as_inputs=options.get("inputs", False),
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name in sys.argv[2:] or NETWORKS:
        try:
            export(name, sys.argv[1])
        except Exception as error:  # one that this PyTorch cannot export is no fault of the tool
            print(f"{name}: {str(error).splitlines()[0]}", file=sys.stderr)
