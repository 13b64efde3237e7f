"""Runs the Python files of the verl folder on cases from stdin and prints what they say, as JSON. `--torch`: by PyTorch itself."""

import json
import math
import os
import sys
import types

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "src", "outgrow", "templates"))
if "--torch" not in sys.argv:
    sys.path.insert(0, os.path.join(HERE, "shim"))  # its torch and its verl
else:
    sys.path.append(os.path.join(HERE, "shim"))  # its verl only
sys.dont_write_bytecode = True

asked = json.load(sys.stdin)
settings = types.ModuleType("turnwise_settings")
settings.LOSS, settings.REWARD = {}, {}
sys.modules["turnwise_settings"] = settings


def loss_cases():
    import torch
    import turnwise_loss

    is_torch = not hasattr(torch, "Number")

    def matrix(rows):
        return torch.tensor(rows, dtype=torch.float64) if is_torch else torch.Tensor(rows)

    def plain(tensor):
        return tensor.tolist() if is_torch else [[x.value for x in row] for row in tensor.rows]

    config = types.SimpleNamespace(global_batch_info={})
    for case in asked["losses"]:
        settings.LOSS.clear()
        settings.LOSS.update(case["loss"])
        old, new, advantages = (matrix(case[name]) for name in ("oldLogProb", "logProb", "advantage"))
        mask, weight = matrix(case["mask"]), matrix(case["weight"])
        if is_torch:
            new.requires_grad_(True)
        losses, ratio = turnwise_loss.token_losses(old, new, advantages, mask)
        total = (losses * weight * mask).sum()
        if is_torch:
            total.backward()
            gradient = new.grad.tolist()
        else:
            torch.backward(total.rows[0][0])
            gradient = [[x.gradient for x in row] for row in new.rows]
        whole, metrics = turnwise_loss.policy_loss(old, new, advantages, mask, case["loss"]["reduction"], config)
        told = {"losses": plain(losses.detach()), "gradient": gradient, "whole": whole.item()}
        yield {**told, "ratio": plain(ratio.detach()), "metrics": metrics}


def main():
    from turnwise_credit import RULES, advantages
    from turnwise_recorder import episode

    credit = []
    for case in asked["credit"]:
        for tree in case["trees"]:
            tree["rewards"] = {int(leaf): reward for leaf, reward in tree["rewards"].items()}
        credit.append(advantages(case["trees"], case["rules"]))
    import reward

    def scored(text, truth, rule):
        try:
            return reward.score_of(text, truth, rule)
        except ValueError as error:
            return str(error)

    said = {"losses": list(loss_cases()), "credit": credit, "rules": sorted(RULES)}
    said["episodes"] = [episode(row, lambda ids: "".join(f"w{i} " for i in ids).strip()) for row in asked["rows"]]
    said["scores"] = [scored(*each) for each in asked["scores"]]
    json.dump(said, sys.stdout, allow_nan=False, default=lambda x: None if math.isnan(x) else x)


main()
