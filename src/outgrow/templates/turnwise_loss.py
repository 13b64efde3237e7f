"""Turnwise's policy loss as one verl policy loss: what `vanilla`, `gspo` and `sapo` of verl do not cover.

Ratios of a token, a turn or a whole row; a clip with hard or soft edges and dual clip, or SAPO's gate. Turns are the runs of 1
in `response_mask`. The ratio is written sg[r] * pi / sg[pi], so that the gradient of a token's ratio by its own log-probability
is the ratio. All numbers come from LOSS in turnwise_settings.py.

Loaded by VERL_USE_EXTERNAL_MODULES=turnwise_loss; selected by actor_rollout_ref.actor.policy_loss.loss_mode=turnwise.
"""

import torch
from turnwise_settings import LOSS
from verl.trainer.ppo.core_algos import agg_loss, register_policy_loss


def turn_index(mask):
    """Turn of each token, [B, T]: 0, 1, ... in the row; the number before it where the mask is 0."""
    mask = mask.to(torch.int64)
    begins = mask[:, :1]
    later = mask[:, 1:] * (1 - mask[:, :-1])  # a 1 behind a 0
    return torch.cumsum(torch.cat([begins, later], dim=1), dim=1) - 1


def mean_log_ratio(log_ratio, mask, level):
    """Log-ratio over the tokens that share a ratio, nats, [B, T]; no gradient flows through it."""
    log_ratio = log_ratio.detach()
    if level == "token":
        return log_ratio
    if level == "sequence":
        count = mask.sum(dim=-1, keepdim=True).clamp(min=1)
        return (log_ratio * mask).sum(dim=-1, keepdim=True) / count + log_ratio * 0
    index = turn_index(mask)
    means = log_ratio * 0
    for turn in range(int(index.max()) + 1):
        own = mask * (index == turn)
        count = own.sum(dim=-1, keepdim=True).clamp(min=1)
        means = means + own * ((log_ratio * own).sum(dim=-1, keepdim=True) / count)
    return means


def token_losses(old_log_prob, log_prob, advantages, mask, loss=LOSS):
    """Loss of every token before it is weighed, and its ratio, both [B, T]; log-probabilities in nats."""
    mask = mask.to(log_prob.dtype)
    pull = log_prob - log_prob.detach()  # 0, with the gradient of the token's own log-probability
    mean = mean_log_ratio(log_prob - old_log_prob, mask, loss["ratioLevel"])
    cap = loss["logRatioCap"]
    lowest = -cap if loss["ratioLevel"] == "token" else None  # means are cut above only
    ratio = torch.exp(torch.clamp(mean + pull, min=lowest, max=cap))
    if loss["surrogate"] == "gate":
        is_positive = (advantages > 0).to(log_prob.dtype)
        tau = loss["gatePositive"] * is_positive + loss["gateNegative"] * (1 - is_positive)
        return -advantages * torch.sigmoid(tau * (ratio - 1)) * 4 / tau, ratio
    low, high = 1 - loss["clipLow"], 1 + loss["clipHigh"]
    above = (advantages > 0) & (ratio > high)
    below = (advantages < 0) & (ratio < low)
    is_cut = mean > cap if lowest is None else (mean > cap) | (mean < -cap)
    flows = (1 - is_cut.to(log_prob.dtype)) * pull  # a soft edge keeps a share of the gradient of its bound
    upper = loss["upperFactor"] * flows if loss["upperEdge"] == "soft" else 0
    lower = loss["lowerFactor"] * flows if loss["lowerEdge"] == "soft" else 0
    losses = torch.where(above, -advantages * high * (1 + upper), -advantages * ratio)
    losses = torch.where(below, -advantages * low * (1 + lower), losses)
    if loss["dualClip"] > 0:
        is_dual = (advantages < 0) & (ratio > loss["dualClip"])
        losses = torch.where(is_dual, -advantages * loss["dualClip"], losses)
    return losses, ratio


@register_policy_loss("turnwise")
def policy_loss(
    old_log_prob,
    log_prob,
    advantages,
    response_mask,
    loss_agg_mode="token-mean",
    config=None,
    rollout_is_weights=None,
):
    """verl's signature; see verl/trainer/ppo/core_algos.py. Returns the loss and its metrics."""
    losses, ratio = token_losses(old_log_prob, log_prob, advantages, response_mask)
    if rollout_is_weights is not None:
        losses = losses * rollout_is_weights
    loss = agg_loss(loss_mat=losses, loss_mask=response_mask, loss_agg_mode=loss_agg_mode, **config.global_batch_info)
    with torch.no_grad():
        mask = response_mask.to(log_prob.dtype)
        count = mask.sum().clamp(min=1)
        low, high = 1 - LOSS["clipLow"], 1 + LOSS["clipHigh"]
        clipped = ((advantages > 0) & (ratio > high)) | ((advantages < 0) & (ratio < low))
        metrics = {
            "actor/pg_clipfrac": ((clipped * mask).sum() / count).item(),
            "actor/ppo_kl": (((old_log_prob - log_prob) * mask).sum() / count).item(),
            "actor/pg_clipfrac_lower": 0.0,
        }
    return loss, metrics
