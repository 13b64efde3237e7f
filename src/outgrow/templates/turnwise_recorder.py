"""What a verl update was trained with, as verifiers v1 episodes, a line a row: Turnwise opens the file with every number.

Plain Python: `episode` takes lists. turnwise_trainer.py fetches them and writes the lines where TURNWISE_RECORD names a folder.
"""

import json


def runs(mask):
    """Maximal runs of equal numbers: (bit, first, end)."""
    first = 0
    for at in range(1, len(mask) + 1):
        if at == len(mask) or mask[at] != mask[first]:
            yield mask[first], first, at
            first = at


def episode(row, decode):
    """The line of one row.

    row: uid (group), key (of the row), step, prompts [P] and responses [T] (token ids), response_mask [T], reward, and where
    they are known old_log_probs, rollout_log_probs, advantages, entropies [T] in nats or dimensionless, ground_truth.
    decode: token ids to text.
    """

    def under(name, first, end):
        values = row.get(name)
        return None if values is None else [float(x) for x in values[first:end]]

    def node(parent, role, ids, sampled, more):
        message = {"role": role, "content": decode(ids)}
        if role == "tool":
            message["tool_call_id"] = f"call_{parent}"
        made = {"message": message, "sampled": sampled, "timestamp": 0, "token_ids": ids}
        made.update({"mask": [sampled] * len(ids), "is_content": [True] * len(ids), "logprobs": []})
        if parent is not None:
            made["parent"] = parent
        made.update({key: values for key, values in more.items() if values is not None})
        return made

    nodes = [node(None, "user", list(row["prompts"]), False, {})]
    for bit, first, end in runs(row["response_mask"]):
        ids = list(row["responses"][first:end])
        more = {}
        if bit:
            more = {
                "logprobs": under("rollout_log_probs", first, end) or under("old_log_probs", first, end),
                "trainer_logprobs": under("old_log_probs", first, end),
                "advantages": under("advantages", first, end),
                "entropies": under("entropies", first, end),
            }
        nodes.append(node(len(nodes) - 1, "assistant" if bit else "tool", ids, bool(bit), more))
    truth = row.get("ground_truth")
    task = {"type": "verl", "data": {} if truth is None else {"answer": str(truth)}, "key": str(row["uid"])}
    trace = {
        "version": 1,
        "id": str(row["key"]),
        "verifiers": {"version": "0.3.1"},
        "task": task,
        "agent": {"config": {"model": "verl actor"}, "name": "policy", "trainable": True},
        "nodes": nodes,
        "rewards": {"score": {"score": float(row["reward"]), "weight": 1}},
        "is_completed": True,
        "ok": True,
    }
    whole = {"id": str(row["key"]), "env": {"id": "verl"}, "task": task, "group": {"id": str(row["uid"])}}
    whole["run"] = {"type": "train", "id": "verl", "work": {"type": "train", "step": int(row["step"])}}
    whole.update({"ok": True, "errors": [], "traces": [trace]})
    return json.dumps(whole, allow_nan=False)
