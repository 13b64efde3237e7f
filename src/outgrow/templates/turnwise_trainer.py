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
import re
from collections import defaultdict
from itertools import accumulate

from turnwise_credit import advantages
from turnwise_growth import LIKELIEST, MEASURED_TOKENS, Tree, generation_entropy, grow, rows, token_entropy
from turnwise_recorder import episode
from turnwise_settings import CREDIT, LOSS, OWN_CREDIT, ROLLOUT
from verl.experimental.agent_loop.agent_loop import AgentLoopOutput, register
from verl.experimental.agent_loop.tool_agent_loop import AgentData, AgentState, ToolAgentLoop


class Turns:
    """verl's server, which also gives out turns that were sampled in pieces: `whole` has them by request."""

    def __init__(self, server):
        self.server, self.whole = server, {}

    async def generate(self, request_id, **asked):
        return self.whole.pop(request_id, None) or await self.server.generate(request_id=request_id, **asked)


@register("turnwise_tree")
class TurnTreeLoop(ToolAgentLoop):
    """Grows one tree per prompt, of ROLLOUT's shape; which nodes come next says turnwise_growth.py. Run it with rollout.n=1:
    one session is one tree."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.server_manager = Turns(self.server_manager)

    async def run(self, sampling_params, **kwargs):
        start = AgentData(
            messages=list(kwargs["raw_prompt"]),
            image_data=None,
            video_data=None,
            audio_data=None,
            mm_processor_kwargs=None,
            metrics={},
            request_id=str(kwargs.get("uid", "tree")),
            tools_kwargs=kwargs.get("tools_kwargs", {}),
        )
        await self._handle_pending_state(start, sampling_params)
        start.begun = []  # tokens of a turn that was cut, and their log-probabilities
        tree = Tree(after=start)
        draws = lambda *words: random.Random(str((start.request_id, *words)))  # noqa: E731
        for front in grow(tree, ROLLOUT, draws):
            await asyncio.gather(*[self._sample(tree, n, sampling_params) for n in front])
        return [self._output(tree, leaf, kwargs) for leaf in rows(tree, ROLLOUT, draws)]

    async def _sample(self, tree, at, sampling_params):
        """One generation of a node, after the state in which its parent ended, and the tool call that it makes."""
        node = tree.nodes[at]
        data = node["after"] = copy.deepcopy(tree.nodes[node["parent"]]["after"])
        data.request_id = f"{tree.nodes[0]['after'].request_id}-{at}"
        before = data.prompt_ids + [token for token, _ in data.begun]
        limit = {} if node["limit"] is None else {"max_tokens": node["limit"]}
        output = await self.server_manager.generate(
            request_id=data.request_id,
            prompt_ids=before,
            sampling_params={**sampling_params, **self._stops(sampling_params), **limit},
            image_data=None,
            video_data=None,
        )
        ids, log_probs = list(output.token_ids), list(output.log_probs or [])
        node.update({"tokens": len(ids), "surprisal": -sum(log_probs) / max(1, len(log_probs))})
        if ROLLOUT["shape"] == "branching":
            node["entropy"] = await self._entropy(f"{data.request_id}-entropy", before, ids)
        data.begun += zip(ids, log_probs or [0.0] * len(ids))
        is_full = len(data.response_mask) + len(data.begun) >= self.response_length
        if node["limit"] == len(ids) and not is_full and ids[-1] not in self._ends():
            node["state"] = "cut"
            return
        output.token_ids = [token for token, _ in data.begun]
        output.log_probs = [p for _, p in data.begun] if log_probs else None
        self.server_manager.whole[data.request_id], data.begun = output, []
        state = await self._handle_generating_state(data, sampling_params)
        if state == AgentState.PROCESSING_TOOLS:
            said = len(data.messages)
            state = await self._handle_processing_tools_state(data)
            texts = " ".join(str(message["content"]) for message in data.messages[said:])
            node["result"] = set(self.tokenizer.encode(texts, add_special_tokens=False))
        node["state"] = "ended" if state == AgentState.TERMINATED else "opened"

    def _stops(self, sampling_params):
        own = self.tool_parser.stop_token_ids
        return {"stop_token_ids": list({*(sampling_params.get("stop_token_ids") or []), *own})} if own else {}

    def _ends(self):
        return {self.tokenizer.eos_token_id, *(self.tool_parser.stop_token_ids or [])}

    async def _entropy(self, request_id, before, ids):
        """H of a generation. A sampled token comes with its own log-probability alone; the likeliest entries of a prompt's tokens
        can be asked for, so its first tokens are read once more as part of a prompt."""
        room = self.prompt_length + self.response_length - len(before) - 1  # one token has to be sampled after them
        ids = before + ids[: max(0, min(MEASURED_TOKENS, room))]
        asked = {"max_tokens": 1, "temperature": 1.0, "prompt_logprobs": LIKELIEST}
        output = await self.server_manager.generate(
            request_id=request_id, prompt_ids=ids, sampling_params=asked, image_data=None, video_data=None
        )
        entries = output.extra_fields["prompt_logprobs"][len(before) - 1 : len(ids) - 1]  # the entry at i is of token i + 1
        return generation_entropy([token_entropy(each) for each in entries], len(self.tokenizer))

    def _output(self, tree, leaf, kwargs):
        from reward import compute_score

        data, path = tree.nodes[leaf]["after"], tree.path(leaf)
        count = len(data.response_mask)
        ids = data.prompt_ids[-count:][: self.response_length]
        truth = (kwargs.get("reward_model") or {}).get("ground_truth")
        scored = compute_score(kwargs.get("data_source"), self.tokenizer.decode(ids), truth, kwargs.get("extra_info"))
        return AgentLoopOutput(
            prompt_ids=data.prompt_ids[:-count],
            response_ids=ids,
            response_mask=data.response_mask[: self.response_length],
            response_logprobs=data.response_logprobs[: self.response_length] or None,
            reward_score=scored["score"],
            num_turns=data.user_turns + data.assistant_turns + 1,
            metrics=data.metrics,
            extra_fields={
                **data.extra_fields,
                "reward_extra_info": scored,  # verl reads it of the last row when the loop has scored it
                "turnwise": {
                    "path": path,
                    "surprisal": [tree.nodes[n]["surprisal"] for n in path],
                    "tokens": [tree.nodes[n]["tokens"] for n in path],
                    "root_of": tree.nodes[leaf]["root_of"],
                    "reward": scored["score"],
                },
            },
        )


def trees_of(rows):
    """Trees of credit from rows that say their path; rows of one prompt in the order of the batch.

    rows: (uid, {path, surprisal, tokens, root_of, reward}). Returns (trees, order): order[i] is the row of `rows` that the i-th row of
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
                tree["root_of"][node] = said["root_of"]
            tree["leaves"].append(said["path"][-1])
            tree["rewards"][said["path"][-1]] = said["reward"]
            order.append(at)
        trees.append(tree)
    return trees, order


def over_tokens(mask, turns, tokens):
    """The number of its node for every token under the mask, 0 elsewhere; a turn may have been sampled in several nodes.

    mask: of the row; turns, tokens: by node of its path, the number and how many tokens it sampled.
    """
    numbers = iter([x for x, count in zip(turns, tokens) for _ in range(count)])
    return [next(numbers, turns[-1]) if bit == 1 else 0.0 for bit in mask]


def token_advantages(rows, masks, credit):
    """By row the advantage of every token, 0 outside of its turns.

    rows: as of trees_of; None for one that verl fills the batch up with, which counts for nothing.
    """
    real = [at for at, row in enumerate(rows) if row is not None]
    trees, order = trees_of([rows[at] for at in real])
    values = [[0.0] * len(mask) for mask in masks]
    for place, turns in zip(order, advantages(trees, credit)):
        at = real[place]
        values[at] = over_tokens(masks[at], turns, rows[at][1]["tokens"])
    return values


GRAMMAR = re.compile(r'</?(?:tool_call|answer)>|"(?:name|arguments)"')  # of verl's hermes calls, and of reward.py's answers


def spared(advantages, pieces):
    """DialTree's mask: tokens of the grammar are not pushed down. M = 1 - 1[token in the grammar and A < 0].

    pieces: the text of each token; a token that a word of the grammar touches belongs to it.
    """
    ends = list(accumulate(len(piece) for piece in pieces))
    words = [match.span() for match in GRAMMAR.finditer("".join(pieces))]
    held = [any(a < end and end - len(piece) < b for a, b in words) for end, piece in zip(ends, pieces)]
    return [0.0 if x < 0 and is_held else x for x, is_held in zip(advantages, held)]


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
            if LOSS["formatMask"]:
                self._spare(batch)
            if os.environ.get("TURNWISE_RECORD"):
                self._record(batch, os.environ["TURNWISE_RECORD"])
            return batch

        def _get(self, batch, fields):
            return tq.kv_batch_get(keys=batch.keys, partition_id=batch.partition_id, select_fields=fields)

        def _credit(self, batch):
            data = self._get(batch, ["uid", "response_mask", "extra_fields"])
            told = zip(data["uid"].tolist(), data["extra_fields"].tolist(), batch.tags)
            rows = [None if tag.get("is_padding") else (uid, extra["turnwise"]) for uid, extra, tag in told]
            values = token_advantages(rows, lists(data["response_mask"]), CREDIT)
            self._put(batch, data["response_mask"], values, ["advantages", "returns"])

        def _spare(self, batch):
            data = self._get(batch, ["responses", "response_mask", "advantages"])
            texts = [[self.tokenizer.decode([token]) for token in row] for row in lists(data["responses"])]
            values = [spared(row, pieces) for row, pieces in zip(lists(data["advantages"]), texts)]
            self._put(batch, data["response_mask"], values, ["advantages"])

        def _put(self, batch, mask, values, names):
            padded = torch.nn.utils.rnn.pad_sequence([torch.tensor(row) for row in values], batch_first=True)
            nested = response_to_nested(padded, mask)
            fields = TensorDict({name: nested for name in names}, batch_size=len(values))
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
                    if batch.tags[at].get("is_padding"):
                        continue
                    extra = data["extra_fields"].tolist()[at] or {}
                    row = {name: column[at] for name, column in columns.items()}
                    row.update({"uid": uid, "key": key, "step": self.global_steps})
                    row["reward"] = extra.get("turnwise", {}).get("reward", rewards[at])
                    file.write(episode(row, self.tokenizer.decode) + "\n")

    return TurnwiseTrainer
