"""A verl trainer with credit of turns in trees, the agent loop that grows the trees, and the recorder.

Written against verl 0.10.0.dev at 1dda039b (trainer.use_v1=true) from its source; it has not been run on a cluster. It touches
three seams: `register_trainer`, `PPOTrainer._compute_advantage`, and `AgentLoopBase.run` returning a list, one output a row.

verl gives every row of a session the reward of its last row. Rows of a tree have one each, so the loop scores its leaves by
reward.py and carries the number in `extra_fields`; `score` in verl's own dumps and curves is the last leaf's.
"""

import asyncio
import copy
import os
import random
from collections import defaultdict

from turnwise_credit import advantages
from turnwise_recorder import episode
from turnwise_settings import CREDIT, OWN_CREDIT, ROLLOUT
from verl.experimental.agent_loop.agent_loop import AgentLoopOutput, register
from verl.experimental.agent_loop.tool_agent_loop import AgentData, AgentState, ToolAgentLoop


def pick(nodes, children, config, rng):
    """Turns to sample again: the K with the highest surprisal - alpha * siblings, or any K; a turn may be picked again when
    there are fewer than K. AT2PO, Algorithm 1."""
    count = config["picks"]
    if config["expansion"] == "random":
        return [rng.choice(nodes) for _ in range(count)]
    score = lambda node: node["surprisal"] - config["siblingPenalty"] * max(0, len(children[node["parent"]]) - 1)  # noqa: E731
    ranked = sorted(nodes, key=score, reverse=True)
    return [ranked[at % len(ranked)] for at in range(count)]


@register("turnwise_tree")
class TurnTreeLoop(ToolAgentLoop):
    """Grows one tree of turns per prompt: M chains, then L rounds in which K turns are sampled again from where they began.
    Run it with rollout.n=1: one session is one tree."""

    async def run(self, sampling_params, **kwargs):
        tree = {"nodes": [None], "children": defaultdict(list), "ends": []}
        start = AgentData(
            messages=list(kwargs["raw_prompt"]),
            image_data=None,
            video_data=None,
            audio_data=None,
            mm_processor_kwargs=None,
            metrics={},
            request_id=kwargs.get("uid", "tree"),
            tools_kwargs=kwargs.get("tools_kwargs", {}),
        )
        await self._handle_pending_state(start, sampling_params)
        rng = random.Random(str(kwargs.get("uid", "")))
        first = [self._grow(tree, 0, start, sampling_params) for _ in range(ROLLOUT["initialBranches"])]
        await asyncio.gather(*first)
        for _ in range(ROLLOUT["iterations"]):
            chosen = pick(tree["nodes"][1:], tree["children"], ROLLOUT, rng)
            await asyncio.gather(*[self._grow(tree, n["parent"], n["before"], sampling_params) for n in chosen])
        ends = tree["ends"]
        if len(ends) > ROLLOUT["leavesPerTree"]:
            ends = sorted(rng.sample(ends, ROLLOUT["leavesPerTree"]), key=ends.index)
        return [self._output(tree, leaf, data, kwargs) for leaf, data in ends]

    async def _grow(self, tree, parent, before, sampling_params):
        """From a state before a generation to the end of the path; every generation is a node."""
        data = copy.deepcopy(before)
        while True:
            opened, length = copy.deepcopy(data), len(data.response_mask)
            data.request_id = f"{before.request_id}-{len(tree['nodes'])}"
            state = await self._handle_generating_state(data, sampling_params)
            sampled = [p for p, bit in zip(data.response_logprobs[length:], data.response_mask[length:]) if bit]
            node = {"parent": parent, "before": opened, "surprisal": -sum(sampled) / max(1, len(sampled))}
            node["tokens"] = sum(data.response_mask[length:])
            tree["nodes"].append(node)
            parent = len(tree["nodes"]) - 1
            tree["children"][node["parent"]].append(parent)
            if state == AgentState.PROCESSING_TOOLS:
                state = await self._handle_processing_tools_state(data)
            if state == AgentState.TERMINATED:
                tree["ends"].append((parent, data))
                return

    def _output(self, tree, leaf, data, kwargs):
        from reward import compute_score

        path, node = [], leaf
        while node != 0:
            path.insert(0, node)
            node = tree["nodes"][node]["parent"]
        count = len(data.response_mask)
        ids = data.prompt_ids[-count:][: self.response_length]
        truth = (kwargs.get("reward_model") or {}).get("ground_truth")
        score = compute_score(kwargs.get("data_source"), self.tokenizer.decode(ids), truth, kwargs.get("extra_info"))["score"]
        return AgentLoopOutput(
            prompt_ids=data.prompt_ids[:-count],
            response_ids=ids,
            response_mask=data.response_mask[: self.response_length],
            response_logprobs=data.response_logprobs[: self.response_length] or None,
            reward_score=score,
            num_turns=2 * len(path),
            metrics=data.metrics,
            extra_fields={
                "turnwise": {
                    "path": path,
                    "surprisal": [tree["nodes"][n]["surprisal"] for n in path],
                    "tokens": [tree["nodes"][n]["tokens"] for n in path],
                    "reward": score,
                }
            },
        )


def trees_of(rows):
    """Trees of credit from rows that say their path; rows of one prompt in the order of the batch.

    rows: (uid, {path, surprisal, tokens, reward}). Returns (trees, order): order[i] is the row of `rows` that the i-th row of
    `advantages(trees)` is of.
    """
    groups = defaultdict(list)
    for at, (uid, _) in enumerate(rows):
        groups[uid].append(at)
    trees, order = [], []
    for members in groups.values():
        size = 1 + max(n for at in members for n in rows[at][1]["path"])
        tree = {"parent": [None] * size, "surprisal": [0.0] * size, "tokens": [0] * size, "root_of": [0] * size}
        tree.update({"leaves": [], "rewards": {}})
        for at in members:
            said = rows[at][1]
            for place, node in enumerate(said["path"]):
                tree["parent"][node] = said["path"][place - 1] if place else 0
                tree["surprisal"][node] = said["surprisal"][place]
                tree["tokens"][node] = said["tokens"][place]
                tree["root_of"][node] = said["path"][0]
            tree["leaves"].append(said["path"][-1])
            tree["rewards"][said["path"][-1]] = said["reward"]
            order.append(at)
        trees.append(tree)
    return trees, order


def over_tokens(mask, turns):
    """The number of its turn for every token under the mask, 0 elsewhere; the k-th run of 1 is the k-th turn."""
    out, turn = [], -1
    for at, bit in enumerate(mask):
        turn += int(bit == 1 and (at == 0 or mask[at - 1] == 0))
        out.append(turns[min(turn, len(turns) - 1)] if bit == 1 else 0.0)
    return out


def own_trainer():
    """The trainer's class; within a function, since verl loads external modules before its trainers."""
    import torch
    import transfer_queue as tq
    from tensordict import TensorDict
    from verl.trainer.ppo.v1.trainer_base import register_trainer
    from verl.trainer.ppo.v1.trainer_sync import PPOTrainerSync
    from verl.workers.utils.padding import response_to_nested

    def lists(nested):
        return [each.tolist() for each in nested.unbind()]

    @register_trainer("turnwise")
    class TurnwiseTrainer(PPOTrainerSync):
        def _compute_advantage(self, batch, metrics):
            batch = super()._compute_advantage(batch, metrics)  # KL in the reward, rollout correction, group estimators
            if OWN_CREDIT:
                self._credit(batch)
            if os.environ.get("TURNWISE_RECORD"):
                self._record(batch, os.environ["TURNWISE_RECORD"])
            return batch

        def _get(self, batch, fields):
            return tq.kv_batch_get(keys=batch.keys, partition_id=batch.partition_id, select_fields=fields)

        def _credit(self, batch):
            data = self._get(batch, ["uid", "response_mask", "extra_fields"])
            masks = lists(data["response_mask"])
            rows = [(uid, extra["turnwise"]) for uid, extra in zip(data["uid"].tolist(), data["extra_fields"].tolist())]
            trees, order = trees_of(rows)
            values = [None] * len(rows)
            for at, turns in zip(order, advantages(trees, CREDIT)):
                values[at] = torch.tensor(over_tokens(masks[at], turns))
            padded = torch.nn.utils.rnn.pad_sequence(values, batch_first=True)
            nested = response_to_nested(padded, data["response_mask"])
            fields = TensorDict({"advantages": nested, "returns": nested}, batch_size=len(rows))
            tq.kv_batch_put(keys=batch.keys, partition_id=batch.partition_id, fields=fields)

        def _record(self, batch, folder):
            known = ["old_log_probs", "rollout_log_probs", "advantages"]
            data = self._get(batch, ["uid", "prompts", "responses", "response_mask", "rm_scores", "extra_fields", *known])
            columns = {name: lists(data[name]) for name in ["prompts", "responses", "response_mask"]}
            columns.update({name: lists(data[name]) for name in known if name in data})
            rewards = [sum(scores) for scores in lists(data["rm_scores"])]
            os.makedirs(folder, exist_ok=True)
            with open(os.path.join(folder, f"step_{self.global_steps}.jsonl"), "a") as file:
                for at, (key, uid) in enumerate(zip(batch.keys, data["uid"].tolist())):
                    extra = data["extra_fields"].tolist()[at] or {}
                    row = {name: column[at] for name, column in columns.items()}
                    row.update({"uid": uid, "key": key, "step": self.global_steps})
                    row["reward"] = extra.get("turnwise", {}).get("reward", rewards[at])
                    file.write(episode(row, self.tokenizer.decode) + "\n")

    return TurnwiseTrainer
