"""Runs the Python files of the verl folder on cases from stdin and prints what they say, as JSON. `--torch`: by PyTorch itself."""

import asyncio
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
settings.LOSS, settings.REWARD, settings.CREDIT, settings.ROLLOUT, settings.OWN_CREDIT = {}, {}, {}, {}, True
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


class Keyed:
    """The lab's keyed random numbers (src/algo/random.ts, Philox4x32-10) with Python's names."""

    def __init__(self, key, stream, *words):
        self.key, self.drawn = key, 0
        for place, word in enumerate([stream, *words]):
            self.key = self.block(word, place, 0x7475726E, 0x77697365)[:2]

    def block(self, *counter):
        (a, b, c, d), (k, m) = counter, self.key
        for _ in range(10):
            first, second = 0xD2511F53 * a, 0xCD9E8D57 * c
            a, b, c, d = (second >> 32) ^ b ^ k, second & 0xFFFFFFFF, (first >> 32) ^ d ^ m, first & 0xFFFFFFFF
            k, m = (k + 0x9E3779B9) & 0xFFFFFFFF, (m + 0xBB67AE85) & 0xFFFFFFFF
        return [a, b, c, d]

    def next(self):
        self.drawn += 1
        return self.block((self.drawn - 1) // 4, 0, 0, 0)[(self.drawn - 1) % 4]

    def random(self):
        return ((self.next() >> 9) + 0.5) * 2**-23

    def randrange(self, count):
        word = self.next()
        while word >= 2**32 - 2**32 % count:
            word = self.next()
        return word % count

    def shuffle(self, items):
        for last in range(len(items) - 1, 0, -1):
            other = self.randrange(last + 1)
            items[last], items[other] = items[other], items[last]


def grown(case):
    """The tree that turnwise_growth.py makes of the lab's random numbers, when its nodes turn out as the lab's did."""
    from turnwise_growth import Tree, generation_entropy, grow, rows

    def draws(stream, *words):
        return Keyed(case["key"], {"expansion": 1, "leaves": 2}[stream], case["prompt"], *words)

    tree, rounds = Tree(), []
    for front in grow(tree, case["rollout"], draws):
        rounds.append(front)
        for n in front:
            told = case["nodes"][n]
            entropy = generation_entropy(told["entropies"], case["vocabulary"])
            tree.nodes[n].update({**told, "result": set(told["result"]), "entropy": entropy})
    said = {name: [node[name] for node in tree.nodes] for name in ("parent", "root_of")}
    return {**said, "rounds": rounds, "rows": rows(tree, case["rollout"], draws)}


def loops(case):
    """Rows of the whole agent loop in the shim's world, and the advantages of their tokens."""
    from turnwise_credit import advantages
    from turnwise_trainer import TurnTreeLoop, token_advantages, trees_of

    settings.ROLLOUT.clear()
    settings.ROLLOUT.update(case["rollout"])
    settings.REWARD["rule"] = "format_credit"
    outputs = []
    for uid in ("q1", "q2"):
        asked = {"raw_prompt": [{"role": "user", "content": "?"}], "uid": uid, "reward_model": {"ground_truth": "w9"}}
        outputs += [(uid, each) for each in asyncio.run(TurnTreeLoop().run({"temperature": 1.0}, **asked))]
    told = [(uid, each.extra_fields["turnwise"]) for uid, each in outputs]
    trees, order = trees_of(told)
    turns = dict(zip(order, advantages(trees, case["credit"])))
    filled = [row for each in told for row in (each, None)]  # as verl fills a batch up
    masks = [mask for _, each in outputs for mask in (each.response_mask, [0])]
    numbers = token_advantages(filled, masks, case["credit"])
    assert numbers[1::2] == [[0.0]] * len(told)
    said = []
    for at, (uid, each) in enumerate(outputs):
        row = {"uid": uid, **each.extra_fields["turnwise"], "prompt": each.prompt_ids, "response": each.response_ids}
        row.update({"mask": each.response_mask, "logProbs": each.response_logprobs, "score": each.reward_score})
        row["turns"], row["advantages"] = turns[at], numbers[2 * at]
        said.append(row)
    return said


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
    said["grown"], said["loops"] = [grown(case) for case in asked["grown"]], [loops(case) for case in asked["loops"]]
    from turnwise_growth import token_entropy
    from turnwise_trainer import TurnTreeLoop, spared

    said["heard"] = asyncio.run(TurnTreeLoop()._entropy("request", [4, 5, 6], list(range(4, 34))))
    said["entropies"] = [token_entropy(each) for each in asked["entropies"]]
    said["spared"] = [spared(*each) for each in asked["spared"]]
    said["scores"] = [scored(*each) for each in asked["scores"]]
    json.dump(said, sys.stdout, allow_nan=False, default=lambda x: None if math.isnan(x) else x)


main()
