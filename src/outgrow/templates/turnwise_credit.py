"""Credit of trees of turns, in plain Python: rewards of leaves to a number for every turn of every row.

A tree is a dict: `parent` [N] (None at the root, 0; parents before children), `leaves` (rows of the batch, in order), `rewards`
{leaf: number}, `surprisal` [N] (mean -log-probability of the turn's tokens, nats), `tokens` [N] (sampled tokens of the turn) and
`root_of` [N] (which of the prompt's trees a node stands in, for Tree-GRPO; 0 elsewhere). All trees of an update go in together:
some rules standardise over the whole update. Rules are named as in Turnwise; the numbers are the same to rounding.
"""

from math import exp, sqrt

EPSILON = 1e-6  # on deviations


def mean(values):
    """Of equal numbers exactly that number: a rounded sum over a deviation of 0 would be trained on."""
    return values[0] if all(v == values[0] for v in values) else sum(values) / len(values)


def deviation(values, ddof):
    if len(values) <= ddof:
        return 0.0
    level = mean(values)
    return sqrt(sum((v - level) ** 2 for v in values) / (len(values) - ddof))


def group_statistics(rewards):
    """Mean and sample deviation; a group of one passes its reward through."""
    return (0.0, 1.0) if len(rewards) == 1 else (mean(rewards), deviation(rewards, 1))


def whitened(numbers, tokens):
    """(x - mean) / sqrt(variance + 1e-8) over all tokens, a number standing for as many tokens as its turn or row has."""
    count = sum(tokens)
    if count == 0:
        return numbers
    known = [x for x, n in zip(numbers, tokens) if n > 0]
    equal = all(x == known[0] for x in known)
    level = known[0] if equal else sum(x * n for x, n in zip(numbers, tokens)) / (count + 1e-8)
    variance = sum(n * (x - level) ** 2 for x, n in zip(numbers, tokens)) / (count + 1e-8)
    if count > 1:
        variance *= count / (count - 1)
    return [(x - level) / sqrt(variance + 1e-8) for x in numbers]


def path_to(tree, node):
    """Turns from below the root to the node, both its own and the leaf's."""
    path = []
    while tree["parent"][node] is not None:
        path.insert(0, node)
        node = tree["parent"][node]
    return path


def children_of(tree):
    """Children that a row passes: pruned branches count for nothing."""
    used = {node for leaf in tree["leaves"] for node in path_to(tree, leaf)}
    children = [[] for _ in tree["parent"]]
    for node, parent in enumerate(tree["parent"]):
        if parent is not None and node in used:
            children[parent].append(node)
    return children


def leaves_below(tree):
    """Rows through each node, a copied leaf as often as it stands in the batch."""
    below = [[] for _ in tree["parent"]]
    for leaf in tree["leaves"]:
        for node in [0, *path_to(tree, leaf)]:
            below[node].append(leaf)
    return below


def leaf_values(tree, normalise):
    rewards = [tree["rewards"][leaf] for leaf in tree["leaves"]]
    if not normalise:
        return dict(zip(tree["leaves"], rewards))
    level, spread = mean(rewards), deviation(rewards, 0) + EPSILON
    return {leaf: (r - level) / spread for leaf, r in zip(tree["leaves"], rewards)}


def child_weights(rule, surprisals):
    if rule == "child_mean":
        return [1 / len(surprisals)] * len(surprisals)
    if rule == "child_entropy":
        total = sum(surprisals)
        return [1 / len(surprisals) if total == 0 else h / total for h in surprisals]
    largest = max(surprisals)
    exponentials = [exp(h - largest) for h in surprisals]
    total = sum(exponentials)
    return [e / total for e in exponentials]


def node_values(tree, credit):
    """V(leaf) = v, V(node) = sum of w * V(child): AT2PO, eq. (3), and its variants."""
    values, below, children = [0.0] * len(tree["parent"]), leaves_below(tree), children_of(tree)
    own = leaf_values(tree, credit["leafNormalisation"])
    for node in reversed(range(len(tree["parent"]))):
        if node in own and not children[node]:
            values[node] = own[node]
        elif credit["valueRule"] == "leaf_mean" and below[node]:
            values[node] = mean([own[leaf] for leaf in below[node]])
        elif children[node]:
            weights = child_weights(credit["valueRule"], [tree["surprisal"][c] for c in children[node]])
            parts = [values[c] for c in children[node]]
            equal = all(v == parts[0] for v in parts)
            values[node] = parts[0] if equal else sum(w * v for w, v in zip(weights, parts))
    return values


def by_node(rule):
    """Rules of a node: what a turn is worth follows from the values of itself, its parent and the root."""
    gains = {
        "node_value": lambda v, parent, root, leaves: v,
        "diff_parent": lambda v, parent, root, leaves: v - parent,
        "diff_global": lambda v, parent, root, leaves: v - root,
        "diff_localglobal": lambda v, parent, root, leaves: (v - root) + (v - parent),
        "tree_rl": lambda v, parent, root, leaves: ((v - root) + (v - parent)) / sqrt(max(1, leaves)),
        "treepo_segment": lambda v, parent, root, leaves: v - parent,
    }

    def assign(trees, credit):
        rows = []
        for tree in trees:
            values, below = node_values(tree, credit), leaves_below(tree)
            for leaf in tree["leaves"]:
                path = path_to(tree, leaf)
                rows.append([gains[rule](values[n], values[tree["parent"][n]], values[0], len(below[n])) for n in path])
        return whiten_turns(trees, rows) if rule == "treepo_segment" else rows

    return assign


def all_rows(trees):
    return [(tree, leaf) for tree in trees for leaf in tree["leaves"]]


def whiten_turns(trees, rows):
    tokens = [tree["tokens"][node] for tree, leaf in all_rows(trees) for node in path_to(tree, leaf)]
    flat = iter(whitened([x for row in rows for x in row], tokens))
    return [[next(flat) for _ in row] for row in rows]


def row_tokens(tree, leaf):
    return sum(tree["tokens"][node] for node in path_to(tree, leaf))


def by_row(estimate, is_whitened=False):
    """Rules of a whole row: every turn gets the row's number."""

    def assign(trees, credit):
        numbers = []
        for tree in trees:
            rewards = [tree["rewards"][leaf] for leaf in tree["leaves"]]
            numbers += estimate(rewards, [row_tokens(tree, leaf) for leaf in tree["leaves"]], tree)
        rows = all_rows(trees)
        if is_whitened:
            numbers = whitened(numbers, [row_tokens(tree, leaf) for tree, leaf in rows])
        return [[x] * len(path_to(tree, leaf)) for x, (tree, leaf) in zip(numbers, rows)]

    return assign


def grpo(rewards, tokens=None, tree=None):
    level, spread = group_statistics(rewards)
    return [(r - level) / (spread + EPSILON) for r in rewards]


def over_mean(rewards, tokens=None, tree=None):
    level, _ = group_statistics(rewards)
    return [r - level for r in rewards]


def leave_one_out(rewards, tokens=None, tree=None):
    n = len(rewards)
    return [r * (n / (n - 1) if n > 1 else 1) for r in over_mean(rewards)]


def by_length(rewards, tokens, tree=None):
    total = sum(tokens)
    equal = all(r == rewards[0] for r in rewards)
    level = rewards[0] if equal else sum(r * n for r, n in zip(rewards, tokens)) / max(1, total)
    level = 0.0 if len(rewards) == 1 or total == 0 else level
    return [r - level for r in rewards]


def best_of_group(rewards, tokens=None, tree=None):
    if len(rewards) == 1:
        return [0.0]
    best = rewards.index(max(rewards))
    second = max(r for at, r in enumerate(rewards) if at != best)
    lead = (rewards[best] - second) / (deviation(rewards, 1) + EPSILON)
    return [lead if at == best else 0.0 for at in range(len(rewards))]


def within_trees(rewards, roots):
    numbers = [0.0] * len(rewards)
    for root in set(roots):
        own = [at for at, each in enumerate(roots) if each == root]
        for at, x in zip(own, grpo([rewards[at] for at in own])):
            numbers[at] = x
    return numbers


def tree_grpo(rewards, tokens, tree):
    """Standing in the prompt plus standing in its own tree."""
    roots = [tree["root_of"][leaf] for leaf in tree["leaves"]]
    return [a + b for a, b in zip(grpo(rewards), within_trees(rewards, roots))]


def nested_groups(rewards, tokens, tree):
    """TreePO: the row against the leaves below each of its ancestors, larger groups weighing more."""
    below, numbers = leaves_below(tree), []
    for leaf, reward in zip(tree["leaves"], rewards):
        groups = [below[n] for at, n in enumerate([0, *path_to(tree, leaf)]) if at == 0 or len(below[n]) > 1]
        total = sum(len(group) for group in groups)
        numbers.append(sum(len(g) / total * (reward - mean([tree["rewards"][x] for x in g])) for g in groups))
    return numbers


def hard_attribution(trees, credit):
    """ARPO: a turn gets the mean of the group advantages of the rows through it."""
    rows = []
    for tree in trees:
        own = dict(zip(tree["leaves"], grpo([tree["rewards"][leaf] for leaf in tree["leaves"]])))
        below = leaves_below(tree)
        for leaf in tree["leaves"]:
            rows.append([sum(own[x] for x in below[n]) / len(below[n]) for n in path_to(tree, leaf)])
    return rows


def generalised(trees, credit):
    """GAE over turns: the tree's values stand for a critic; the leaf's own value is its reward."""
    discount, decay, rows = credit["discount"], credit["discount"] * credit["lambda"], []
    for tree in trees:
        values = node_values(tree, credit)
        for leaf in tree["leaves"]:
            path, later, numbers = path_to(tree, leaf), 0.0, []
            for at, node in reversed(list(enumerate(path))):
                is_last = at == len(path) - 1
                reward, after = (values[leaf], 0.0) if is_last else (0.0, values[node])
                later = reward + discount * after - values[tree["parent"][node]] + decay * later
                numbers.insert(0, later)
            rows.append(numbers)
    return whiten_turns(trees, rows)


RULES = {
    **{name: by_node(name) for name in ("node_value", "diff_parent", "diff_global", "diff_localglobal", "tree_rl", "treepo_segment")},
    "vanilla": by_row(grpo),
    "dr_grpo": by_row(over_mean),
    "rloo": by_row(leave_one_out),
    "opo": by_row(by_length),
    "pass_k": by_row(best_of_group),
    "reinforce_pp_baseline": by_row(over_mean, is_whitened=True),
    "tree_grpo": by_row(tree_grpo),
    "treepo": by_row(nested_groups, is_whitened=True),
    "arpo_hard": hard_attribution,
    "gae": generalised,
}


def advantages(trees, credit):
    """Per row (tree by tree, in the order of `leaves`) the advantage of each of its turns.

    Raises KeyError naming the rule where it needs what a tree does not hold: see NOT_EXPRESSED in README.md.
    """
    return RULES[credit["advantageRule"]](trees, credit)
