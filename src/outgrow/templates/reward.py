"""The reward of a row: Turnwise's rule by name, on the answer in <answer>…</answer> or in the last line.

`boundary` (BAPO) also needs what the rest of the group answered: it is no function of one row and is refused here.
"""

import re

from turnwise_settings import REWARD


def answer_of(text):
    """The last answer and whether it stands in its tags; (None, False) where there is none."""
    found = re.findall(r"<answer>(.*?)</answer>", text, flags=re.S)
    if found:
        return found[-1].strip(), True
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    return (lines[-1], False) if lines else (None, False)


def f1(answer, truth):
    """Of words, lower case."""
    said, right = answer.lower().split(), truth.lower().split()
    shared = sum(min(said.count(w), right.count(w)) for w in set(said))
    return 0.0 if shared == 0 else 2 * shared / (len(said) + len(right))


def compute_score(data_source, solution_str, ground_truth, extra_info=None, **kwargs):
    """verl's signature for reward.custom_reward_function; filter_groups looks for the number under `score`."""
    return {"score": score_of(solution_str, ground_truth, REWARD["rule"])}


def score_of(solution_str, ground_truth, rule):
    answer, is_formed = answer_of(solution_str)
    is_right = answer is not None and answer.lower() == str(ground_truth).lower()
    if rule == "environment":
        return -1.0 if not is_formed else float(is_right)
    if rule == "exact_match":
        return float(is_formed and is_right)
    if rule == "f1":
        score = f1(answer, str(ground_truth)) if is_formed else -1.0
        both = "search" in solution_str and "calc" in solution_str
        return score + 0.1 if score > 0 and both else score
    if rule == "format_credit":
        if answer is None:
            return 0.0
        return (1.0 if is_formed else 0.8) if is_right else (0.2 if is_formed else 0.1)
    raise ValueError(f"reward rule {rule}: got a rule that looks at more than one row, wanted environment, exact_match, f1 or format_credit")
