"""The training of the examples in upgrading-torch.md; it is read and never run."""

import torch
from torch.amp import GradScaler
from torch.optim.lr_scheduler import OneCycleLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn


def train(model, loader, steps):
    """Train with fused AdamW in mixed precision, and average the weights."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.001, weight_decay=0.05, fused=True)
    scheduler = OneCycleLR(optimizer, max_lr=0.001, total_steps=steps)
    scaler = GradScaler()
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay=0.999))
    for inputs, targets in loader:
        optimizer.zero_grad()
        with torch.autocast("cuda"):
            loss = torch.nn.functional.mse_loss(model(inputs), targets)
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
        scheduler.step()
        average.update_parameters(model)
    return average
