"""Numbers of torch's optimizers, clipping and schedules, for packages/core/test/optimizer-goldens.test.ts.

    python tools/goldens/optimizers.py > packages/core/test/fixtures/optimizer-goldens.json

Needs torch (made with 2.15, in double precision). The problem: loss = sum((a - ta)^2) + sum((b - tb)^2), a and b (2, 2),
starting at 0, 1/8, 2/8, ...; targets are sin(1.7 i + p) cos(0.3 i + 2 p) with p = 3 for a and 4 for b.
"""
import json
import math

import torch
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, SequentialLR

torch.set_default_dtype(torch.float64)


def wave(phase):
    return torch.tensor([math.sin(1.7 * i + phase) * math.cos(0.3 * i + 2 * phase) for i in range(4)]).reshape(2, 2)


def trajectory(make, max_norm=None, schedule=None, steps=6):
    params = [torch.nn.Parameter((torch.arange(4.0) + 4 * k).reshape(2, 2) / 8) for k in range(2)]
    targets = [wave(3), wave(4)]
    optimizer = make(params)
    scheduler = schedule(optimizer) if schedule else None
    rows = []
    for _ in range(steps):
        optimizer.zero_grad()
        sum(((p - t) ** 2).sum() for p, t in zip(params, targets)).backward()
        if max_norm is not None:
            torch.nn.utils.clip_grad_norm_(params, max_norm)
        optimizer.step()
        if scheduler:
            scheduler.step()
        rows.append([x for p in params for x in p.detach().flatten().tolist()])
    return rows


def rates(schedule, lr, steps):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    scheduler = schedule(optimizer)
    found = []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


def warm_cosine(optimizer):
    warm = LinearLR(optimizer, start_factor=0.25, end_factor=1.0, total_iters=2)
    return SequentialLR(optimizer, [warm, CosineAnnealingLR(optimizer, T_max=4, eta_min=0.01)], milestones=[2])


print(
    json.dumps(
        {
            "torch": torch.__version__,
            "adamw": trajectory(lambda p: torch.optim.AdamW(p, lr=0.05)),
            "adamw_decay": trajectory(
                lambda p: torch.optim.AdamW(p, lr=0.05, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.3)
            ),
            "adamw_clipped": trajectory(lambda p: torch.optim.AdamW(p, lr=0.05), max_norm=0.5),
            "sgd_clipped": trajectory(lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9), max_norm=1.5),
            "sgd_not_clipped": trajectory(lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9), max_norm=1e6),
            "adamw_scheduled": trajectory(lambda p: torch.optim.AdamW(p, lr=0.1), schedule=warm_cosine),
            "cosine": rates(lambda o: CosineAnnealingLR(o, T_max=10, eta_min=0.001), 0.1, 11),
            "warm_up": rates(lambda o: LinearLR(o, total_iters=5), 0.3, 8),
            "warm_up_cosine": rates(warm_cosine, 0.2, 7),
        },
        indent=1,
    )
)
