"""verl's registry and `agg_loss`, as at 1dda039b, for one process: what turnwise_loss.py imports of it."""

REGISTRY = {}


def register_policy_loss(name):
    def decorator(function):
        REGISTRY[name] = function
        return function

    return decorator


def agg_loss(loss_mat, loss_mask, loss_agg_mode, dp_size=1, batch_num_tokens=None, global_batch_size=None, loss_scale_factor=None):
    mask = loss_mask.to(loss_mat.dtype)
    per_row = (loss_mat * mask).sum(dim=-1, keepdim=True)
    counts = mask.sum(dim=-1, keepdim=True)
    rows = (counts > 0).to(loss_mat.dtype).sum()
    if loss_agg_mode == "token-mean":
        return per_row.sum() / counts.sum()
    if loss_agg_mode == "seq-mean-token-mean":
        return (per_row / (counts + 1e-8)).sum() / rows
    loss = per_row.sum() / rows
    if loss_agg_mode != "seq-mean-token-sum-norm":
        return loss
    return loss / (loss_mask.shape[-1] if loss_scale_factor is None else loss_scale_factor)
