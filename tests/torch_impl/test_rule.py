"""Clipping, schedule and update as one rule."""

from __future__ import annotations

import torch
from torch import nn

from torch_impl import UpdateRule, eager_optimizers

GRADS = [torch.tensor([3.0, -0.5]), torch.tensor([0.1, 0.2]), torch.tensor([-2.0, 2.0])]


def test_each_step_is_clipped_scheduled_and_updated() -> None:
    with eager_optimizers():
        ours, expected = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
        rules = [torch.optim.SGD([p], lr=0.5) for p in (ours, expected)]
        schedules = [torch.optim.lr_scheduler.StepLR(rule, 1, 0.1) for rule in rules]
        whole = UpdateRule(rules[0], schedules[0], max_norm=1.0, clip_value=0.9)
        assert whole.clips
        for count, grad in enumerate(GRADS):
            ours.grad, expected.grad = grad.clone(), grad.clamp(-0.9, 0.9)
            torch.nn.utils.clip_grad_norm_([expected], 1.0)
            assert whole.lrs == schedules[1].get_last_lr()
            assert abs(whole.lrs[0] - 0.5 * 0.1**count) < 1e-15
            whole.step()
            rules[1].step()
            schedules[1].step()
            assert torch.equal(ours, expected)
        whole.zero_grad()
        assert ours.grad is None


def test_without_schedule_and_clipping_it_is_the_optimizer() -> None:
    with eager_optimizers():
        p = nn.Parameter(torch.ones(2))
        whole = UpdateRule(torch.optim.SGD([p], lr=0.5))
        p.grad = GRADS[0].clone()
        assert whole.clip() is None
        whole.step()
        assert torch.equal(p, 1 - 0.5 * GRADS[0])
