"""Optimizers: Muon for the matrices inside a network, AdamW for the rest, and one schedule of learning rates for both.

Muon makes the update of a matrix orthogonal, so that all directions of the matrix learn at the same pace. Small models
and codecs learn about ten times faster with it than with only AdamW. Notebook: 04
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from vampkit import schedules
from vampkit.model import MaskedTransformer
from vampkit.train.masked_presets import MaskedPreset


def orthogonal(update: Tensor) -> Tensor:
    """Bring the singular values of matrices [..., rows, columns] near 1, by five Newton-Schulz steps (Jordan 2024)."""
    x = update / update.norm(dim=(-2, -1), keepdim=True).clamp(min=1e-7)
    tall = x.shape[-2] > x.shape[-1]
    x = x.mT if tall else x
    for _ in range(5):
        a = x @ x.mT
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
    return x.mT if tall else x


class Muon(torch.optim.Optimizer):
    """Muon: the momentum of each tensor is made orthogonal. The tensor is seen as a matrix [first axis, other axes].

    The rule is that of `torch.optim.Muon`. But that one takes only matrices and works in bfloat16, which is slow on
    most CPUs. This one works in float32 on a CPU and in bfloat16 on a GPU.

    parameters: tensors with at least two axes. lr: learning rate; it is multiplied by sqrt(max(1, rows / columns)).
    """

    def __init__(
        self, parameters: Iterable[nn.Parameter], lr: float, momentum: float = 0.95, weight_decay: float = 0.0
    ):
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None) -> None:
        """Do one update. A tensor without a gradient is not changed."""
        for group in self.param_groups:
            tensors = [t for t in group["params"] if t.grad is not None]
            for tensor in tensors:
                if not self.state[tensor]:
                    self.state[tensor]["momentum_buffer"] = torch.zeros_like(tensor)
            # Tensors of the same shape are made orthogonal in one batch. One by one, a GPU would spend most of its
            # on starting small matrix products.
            shapes = dict.fromkeys(t.shape for t in tensors)
            for alike in ([t for t in tensors if t.shape == shape] for shape in shapes):
                gradients, means = [t.grad for t in alike], [self.state[t]["momentum_buffer"] for t in alike]
                torch._foreach_lerp_(means, gradients, 1 - group["momentum"])
                ahead = torch._foreach_lerp(gradients, means, group["momentum"])  # Nesterov momentum
                ahead = torch.stack(ahead).flatten(2)
                updates = orthogonal(ahead.bfloat16() if ahead.is_cuda else ahead).to(alike[0].dtype)
                scale = max(1.0, updates.shape[1] / updates.shape[2]) ** 0.5
                torch._foreach_mul_(alike, 1 - group["lr"] * group["weight_decay"])
                torch._foreach_add_(alike, list(updates.view(-1, *alike[0].shape)), alpha=-group["lr"] * scale)


def ramp(step: int, steps: int, warmup: int, last: float = 0.0) -> float:
    """Factor of the learning rate: a linear warm-up, then a cosine from 1 to `last` at the final step."""
    if step < warmup:
        return (step + 1) / warmup
    u = min(1.0, (step - warmup) / max(1, steps - warmup))
    return last + (1 - last) * 0.5 * (1 + math.cos(math.pi * u))


def trapezoid(step: int, steps: int, warmup: int) -> float:
    """Factor of the learning rate: a linear warm-up, then 1, then a linear fall to 0 over the second half."""
    if step < warmup:
        return (step + 1) / warmup
    return min(1.0, max(0.0, (steps - step) / max(1, steps / 2)))


def rate_factor(schedule: str, step: int, steps: int, warmup: int, width: int) -> float:
    """The factor of the base learning rates at a step (from 0).

    schedule: "trapezoid", "cosine", or "noam". "noam" gives the learning rate itself, for a model of this width. Raises
    ValueError for any other schedule.
    """
    if schedule == "noam":
        # step + 1: the reference code steps its schedule once before the first update
        return schedules.noam(step + 1, width, warmup)
    if schedule not in ("trapezoid", "cosine"):
        raise ValueError(
            f"there is no schedule {schedule!r} of the learning rate; trapezoid, cosine or noam was expected"
        )
    return trapezoid(step, steps, warmup) if schedule == "trapezoid" else ramp(step, steps, warmup)


def set_rate(optimizers: Iterable[torch.optim.Optimizer], factor: float) -> None:
    """Set the learning rate of each group to its base rate (the rate it was made with) times `factor`."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group.setdefault("base_lr", group["lr"])
            group["lr"] = group["base_lr"] * factor


def optimizers_of(network: MaskedTransformer, preset: MaskedPreset) -> list[torch.optim.Optimizer]:
    """Make the optimizers of a masked model: Muon for the matrices inside the blocks and AdamW for the rest, or AdamW.

    Raises ValueError if the preset names any other optimizer.
    """
    p = preset
    adam = dict(lr=p.adam_rate, betas=p.adam_betas, weight_decay=p.adam_decay)
    if p.optimizer == "adamw":
        return [torch.optim.AdamW([w for w in network.parameters() if w.requires_grad], **adam)]
    if p.optimizer != "muon":
        raise ValueError(f"there is no optimizer {p.optimizer!r}; muon or adamw was expected")
    inside, rest = split_parameters(network)
    muon = Muon(inside, lr=p.muon_rate, weight_decay=p.muon_decay)
    # Because of weight norm, a row of the head can grow only by its magnitude weight_g. At the rate of the other
    # weights it would grow sqrt(width) times too slowly.
    head = network.classifier.layers[0]
    others = [w for w in rest if w is not head.weight_g and w is not head.weight_v]
    groups = [
        {"params": others},
        {"params": [head.weight_g], "lr": p.adam_rate * p.model.width**0.5},
        {"params": [head.weight_v], "lr": p.head_rate},
    ]
    return [muon, torch.optim.AdamW(groups, **adam)]


def split_parameters(model: MaskedTransformer) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Split the parameters: the matrices inside the blocks (for Muon), and all others (input, bias, norms, head)."""
    inside, rest = [], []
    for name, weight in model.named_parameters():
        block = name.startswith("transformer.layers.") and weight.ndim == 2 and "relative_attention_bias" not in name
        (inside if block else rest).append(weight)
    return inside, rest


class Average:
    """Exponential moving average of a network's state (weights and buffers).

    decay: weight of the old average at each update. The first updates are averaged with equal weights, so that the
    initial weights are soon forgotten.
    """

    def __init__(self, network: nn.Module, decay: float):
        self.decay = decay
        self.restart(network)

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Move the average towards the current state of the network."""
        self.updates += 1
        weight = max(1 - self.decay, 1 / (self.updates + 1))
        now = network.state_dict()
        numbers = [name for name, tensor in now.items() if tensor.is_floating_point()]
        torch._foreach_lerp_([self.state[name] for name in numbers], [now[name] for name in numbers], weight)
        for name in now.keys() - set(numbers):
            self.state[name].copy_(now[name])

    def load(self, state: dict[str, Tensor], updates: int) -> None:
        """Continue a saved average."""
        self.state = {k: state[k].to(v.device) for k, v in self.state.items()}
        self.updates = updates

    def restart(self, network: nn.Module) -> None:
        """Start a new average at the current state of the network."""
        self.updates = 0
        self.state = {k: v.detach().clone() for k, v in network.state_dict().items()}


def total_norm(tensors: Iterable[Tensor], limit: float) -> float:
    """Clip the gradients to a total norm of `limit`. Returns the norm before clipping."""
    return float(nn.utils.clip_grad_norm_([t for t in tensors if t.grad is not None], limit))
