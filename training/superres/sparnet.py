"""SPARNet in PyTorch: names and shapes of `state_dict()` are those of the released checkpoints.

After Chen, Gong, Wang, Li, Wong 2020, "Learning Spatial Attention for Face Super-Resolution". What tells the nets of
the family apart is a `tronie.importers.sparnet_architecture.Architecture`. Pictures are (N, 3, side, side) RGB in
-1..1.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import interpolate, normalize

from tronie.importers.sparnet_architecture import EPSILON, HOURGLASS, SLOPE, Architecture, Scale


class SpectralConv(nn.Module):
    """A convolution whose kernel is divided by an estimate of its greatest singular value (Miyato et al. 2018).

    In training each pass improves the estimate by one step of power iteration; in evaluation it is u . (W v) with u, v
    as they are.
    """

    def __init__(self, inputs: int, outputs: int, side: int, stride: int, bias: bool) -> None:
        super().__init__()
        plain = nn.Conv2d(inputs, outputs, side, stride, bias=bias)
        self.stride = stride
        self.register_parameter("bias", plain.bias)
        self.weight_orig = plain.weight
        self.register_buffer("weight_u", normalize(torch.randn(outputs), dim=0))
        self.register_buffer("weight_v", normalize(torch.randn(inputs * side * side), dim=0))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        matrix = self.weight_orig.flatten(1)
        if self.training:
            with torch.no_grad():
                self.weight_v.copy_(normalize(matrix.T @ self.weight_u, dim=0))
                self.weight_u.copy_(normalize(matrix @ self.weight_v, dim=0))
        # Copies, as the next pass changes the buffers while this one's gradient still needs them.
        sigma = self.weight_u.clone() @ (matrix @ self.weight_v.clone())
        return nn.functional.conv2d(x, self.weight_orig / sigma, self.bias, self.stride)


class Norm(nn.Module):
    """Batch or instance normalisation, one name deeper as in the checkpoints."""

    def __init__(self, plan: Architecture, channels: int) -> None:
        super().__init__()
        kind = nn.InstanceNorm2d if plan.instance_norm else nn.BatchNorm2d
        self.norm = kind(channels, EPSILON, affine=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.norm(x)


class Layer(nn.Module):
    """Enlarge by repeating pixels (or not), border of reflected pixels, 3 x 3 convolution, norm, LeakyReLU."""

    def __init__(
        self,
        plan: Architecture,
        inputs: int,
        outputs: int,
        scale: Scale = "same",
        *,
        normed: bool = True,
        active: bool = True,
    ) -> None:
        super().__init__()
        self.scale = scale
        self.border = nn.ReflectionPad2d(1)
        make = SpectralConv if plan.spectral else nn.Conv2d
        self.conv2d = make(inputs, outputs, 3, 2 if scale == "down" else 1, bias=not normed)
        self.norm = Norm(plan, outputs) if normed else nn.Identity()
        self.after = nn.LeakyReLU(SLOPE) if active else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.scale == "up":
            x = interpolate(x, scale_factor=2, mode="nearest")
        return self.after(self.norm(self.conv2d(self.border(x))))


class Attention(nn.Module):
    """An hourglass whose sigmoid is multiplied into its input; `map` gives that sigmoid alone, in 0..1."""

    def __init__(self, plan: Architecture, channels: int, levels: int) -> None:
        super().__init__()
        self.levels = levels
        for level in range(levels, 0, -1):
            inputs = channels if level == levels else HOURGLASS
            self.add_module(f"b1_{level}", Layer(plan, inputs, HOURGLASS))
            self.add_module(f"b2_{level}", Layer(plan, inputs, HOURGLASS, "down"))
        self.b2_plus_1 = Layer(plan, HOURGLASS, HOURGLASS)
        for level in range(1, levels + 1):
            self.add_module(f"b3_{level}", Layer(plan, HOURGLASS, HOURGLASS, "up"))
        maps = channels if plan.each_channel else 1
        self.out_block = nn.Sequential(Layer(plan, HOURGLASS, maps, normed=False, active=False), nn.Sigmoid())

    def map(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) -> (N, 1 or C, H, W); H and W are multiples of 2**levels."""
        parts, beside = self._modules, []
        for level in range(self.levels, 0, -1):
            beside.append(parts[f"b1_{level}"](x))
            x = parts[f"b2_{level}"](x)
        x = self.b2_plus_1(x)
        for level in range(1, self.levels + 1):
            x = beside.pop() + parts[f"b3_{level}"](x)
        return self.out_block(x)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.map(x)


class Unit(nn.Module):
    """Face attention unit: shortcut + attention * features."""

    def __init__(self, plan: Architecture, inputs: int, outputs: int, scale: Scale, levels: int) -> None:
        super().__init__()
        same = scale == "same" and inputs == outputs
        self.shortcut_func = nn.Identity() if same else Layer(plan, inputs, outputs, scale, normed=False, active=False)
        self.preact_func = nn.Sequential(Norm(plan, inputs), nn.LeakyReLU(SLOPE))
        # A unit that enlarges does so before its first convolution, one that shrinks in its second.
        self.conv1 = Layer(plan, inputs, outputs, "up" if scale == "up" else "same")
        self.conv2 = Layer(plan, outputs, outputs, "down" if scale == "down" else "same", active=False)
        self.att_func = Attention(plan, outputs, levels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        features = self.conv2(self.conv1(self.preact_func(x)))
        return self.shortcut_func(x) + self.att_func(features)


class SPARNet(nn.Module):
    """The net of a plan. Pictures may also have other sides than the plan's: multiples of 32 from 64 on."""

    def __init__(self, plan: Architecture | None = None) -> None:
        super().__init__()
        plan = plan or Architecture()
        first = Layer(plan, 3, plan.widths[0], normed=False, active=False)
        rooms: dict[str, list[nn.Module]] = {"encoder": [first], "res_layers": [], "decoder": []}
        for name, *rest in plan.units:
            rooms[name.partition(".")[0]].append(Unit(plan, *rest))
        self.encoder, self.res_layers, self.decoder = (nn.Sequential(*units) for units in rooms.values())
        self.out_conv = Layer(plan, plan.widths[0], 3, normed=False, active=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, 3, side, side) in -1..1 -> the same shape, about -1..1 (nothing is clipped)."""
        return self.out_conv(self.decoder(self.res_layers(self.encoder(x))))
