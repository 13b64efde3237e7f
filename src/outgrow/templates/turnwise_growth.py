"""How the paths of a prompt come to be, in plain Python: one generator a shape, with Turnwise's names, settings and choices.

A shape adds nodes to a Tree and yields those that are to be sampled next. Whoever drives it (the agent loop of
turnwise_trainer.py) samples one generation for each, of at most `limit` tokens, plays its tool call, and writes on the node

- `state`: "opened" (a tool result waits), "cut" (the limit came within a turn), "ended" (the path is a row);
- `tokens`: how many were sampled; `surprisal`: their mean -log-probability, nats;
- `entropy` for branching (generation_entropy), `result` for level_tree (the set of tokens of the tool result).

Random choices come from `draws(stream, *words)`: the stream of that name, with random(), randrange(n) and shuffle(list).
"""

from math import exp, floor, log

MEASURED_TOKENS = 20  # of a generation, from its start: ARPO and AEPO look no further
LIKELIEST = 10  # entries of a token's distribution that their released code sums over
PROBE_TOKENS = 50  # of AEPO's first look


class Tree:
    """Nodes by number; 0 is the root, parents come before their children. Pruned nodes are no children of anyone."""

    def __init__(self, **root):
        self.nodes, self.choices = [], 0
        self.add(None, state="opened", **root)

    def add(self, parent, **own):
        """One more path after an opened or cut node; returns its number."""
        node = {"parent": parent, "children": [], "root_of": 0, "state": None, "tokens": 0, "surprisal": 0.0, "limit": None}
        if parent is not None:
            node["root_of"] = self.nodes[parent]["root_of"]
            self.nodes[parent]["children"].append(len(self.nodes))
        self.nodes.append({**node, **own})
        return len(self.nodes) - 1

    def onward(self, front):
        """The paths that go on by themselves."""
        return [self.add(n) for n in front if self.nodes[n]["state"] == "opened"]

    def breadth_first(self):
        order = [0]
        for n in order:
            order += self.nodes[n]["children"]
        return order

    def leaves(self):
        return [n for n in self.breadth_first() if self.nodes[n]["state"] == "ended"]

    def inner(self):
        return [n for n in self.breadth_first() if self.nodes[n]["state"] != "ended"]

    def path(self, node):
        """Nodes from below the root to this one."""
        path = []
        while node != 0:
            path.insert(0, node)
            node = self.nodes[node]["parent"]
        return path

    def prune(self, node):
        """Takes a node out, and every ancestor that is left without children."""
        while node != 0 and not self.nodes[node]["children"]:
            parent = self.nodes[node]["parent"]
            self.nodes[parent]["children"].remove(node)
            node = parent


def shuffled(rng, items):
    items = list(items)
    rng.shuffle(items)
    return items


def complete(tree, front):
    """Rounds until every path has ended."""
    while front:
        yield front
        front = tree.onward(front)


def pick(tree, config, rng):
    """Turns to sample again: the K of highest surprisal - alpha * siblings, from the start again where there are fewer; or
    any K. AT2PO, Algorithm 1."""
    inner, count = tree.inner(), config["picks"]
    if config["expansion"] == "random":
        if len(inner) >= count:
            return shuffled(rng, inner)[:count]
        return [inner[rng.randrange(len(inner))] for _ in range(count)]

    def score(n):
        siblings = max(0, len(tree.nodes[tree.nodes[n]["parent"] or 0]["children"]) - 1)
        return tree.nodes[n]["surprisal"] - config["siblingPenalty"] * siblings

    ranked = sorted(inner, key=score, reverse=True)
    return [ranked[at % len(ranked)] for at in range(count)]


def turn_tree(tree, config, draws):
    """AT2PO: M chains, then L rounds in which K turns are sampled again from where they began."""
    yield from complete(tree, [tree.add(0) for _ in range(config["initialBranches"])])
    for iteration in range(config["iterations"]):
        picks = pick(tree, config, draws("expansion", iteration))
        yield from complete(tree, [tree.add(tree.nodes[n]["parent"] or 0) for n in picks])


def continuation_tree(tree, config, draws):
    """Tree-GRPO: M trees, each a chain; L times, N random turns of each are continued once more after their result."""
    trees = range(config["initialBranches"])
    yield from complete(tree, [tree.add(0, root_of=at) for at in trees])
    for iteration in range(config["iterations"]):
        picks = []
        for at in trees:
            nodes = [n for n in tree.inner() if n == 0 or tree.nodes[n]["root_of"] == at]
            rng = draws("expansion", iteration, at)
            picks += [(nodes[rng.randrange(len(nodes))], at) for _ in range(config["picks"])]
        yield from complete(tree, [tree.add(n, root_of=at) for n, at in picks])


def token_entropy(log_probs):
    """Of the entries given, nats."""
    return -sum(exp(x) * x for x in log_probs)


def generation_entropy(entropies, vocabulary):
    """H of ARPO and AEPO: the sum over the first tokens of a generation, over ln |V|."""
    return sum(entropies[:MEASURED_TOKENS]) / log(vocabulary)


def branches(config, draw, change, streak):
    """ARPO: clip(u - w dH) <= q. AEPO: clip((u + w dH) * max(0, 1 - 0.05 l)) >= q, l rounds in a row having branched."""
    clip = lambda x: min(1.0, max(0.0, x))  # noqa: E731
    shift = config["branchWeight"] * change
    if config["branchRule"] == "arpo":
        return clip(draw - shift) <= config["branchBase"]
    return clip((draw + shift) * max(0.0, 1 - 0.05 * streak)) >= config["branchBase"]


def plan_branches(changes, made, streak, config, rng):
    """Which active paths are copied after a round, by place; None starts a path of its own.

    changes: dH of each active path; made: paths so far. Returns (sources, streak).
    """
    sources = []
    for source, change in enumerate(changes):
        for _ in range(min(config["beam"] - 1, config["leavesPerTree"] - made - len(sources))):
            if branches(config, rng.random(), change, streak):
                sources.append(source)
    if not changes and made < config["leavesPerTree"]:
        sources.append(None)
    return sources, streak + 1 if sources else 0


def first_paths(tree, config):
    """How many paths ARPO and AEPO start with; a first look of AEPO is sampled and thrown away."""
    most = config["leavesPerTree"]
    if not config["dynamicInitial"]:
        return min(most, config["initialBranches"])
    probe = tree.add(0, limit=PROBE_TOKENS)
    yield [probe]
    tree.prune(probe)
    entropies, front = [], [tree.add(0)]
    while front:
        yield front
        entropies += [tree.nodes[n]["entropy"] for n in front]
        front = tree.onward(front)
    for leaf in tree.leaves():
        tree.prune(leaf)
    difference = tree.nodes[probe]["entropy"] - sum(entropies) / len(entropies)
    return min(most, max(1, floor(most / (1 + exp(-0.5 * difference))) + 1))


def branching(tree, config, draws):
    """ARPO and AEPO: chains that branch after tool calls, more likely where the turn was less certain than the path's first."""
    rng, streak = draws("expansion"), 0
    made = yield from first_paths(tree, config)
    front = [tree.add(0, first=None) for _ in range(made)]
    while front:
        yield front
        active, changes = [], []
        for n in front:
            node = tree.nodes[n]
            first = node["entropy"] if node["first"] is None else node["first"]
            if node["state"] == "opened":
                active.append(tree.add(n, first=first))
                changes.append(node["entropy"] - first)
        sources, streak = plan_branches(changes, made, streak, config, rng)
        made += len(sources)
        starts = [0 if source is None else tree.nodes[active[source]]["parent"] for source in sources]
        front = active + [tree.add(n, first=None) for n in starts]


def segment_tree(tree, config, draws):
    """TreePO: paths are cut every m sampled tokens, also within a turn, and fork there while the rows have places; free
    places go to random cuts."""
    most, levels = config["leavesPerTree"], config["levels"]
    cuts = [0]

    def begin(n):
        level = tree.nodes[n].get("level", 0) + 1
        return segment(n, level, config["segmentTokens"])

    def segment(n, level, left):
        return tree.add(n, level=level, limit=left if level < levels else None)

    def stream():
        tree.choices += 1
        return draws("expansion", tree.choices - 1)

    front = [begin(0) for _ in range(min(config["initialBranches"], most))]
    while front:
        yield front
        full, going = [], []
        for n in front:
            node = tree.nodes[n]
            if node["state"] == "ended":
                continue
            left = (node["limit"] or 0) - node["tokens"]
            if node["level"] < levels and left <= 0:
                full.append(n)
            else:
                going.append(segment(n, node["level"], left))
        cuts += full
        forks = dict.fromkeys(full, 0)
        if full:
            places = most - len(full) - len(going) - len(tree.leaves())
            for n in shuffled(stream(), full):
                forks[n] = min(config["width"] - 1, places)
                places -= forks[n]
        onward = [begin(n) for n in full]
        front = going + onward + [begin(n) for n in full for _ in range(forks[n])]
        missing = most - len(tree.leaves())
        if not front and missing > 0:
            rng = stream()
            picks = [cuts[rng.randrange(len(cuts))] for _ in range(missing)]
            front = [begin(n) for n in picks]


def overlap(a, b):
    """Jaccard index of two sets; 1 for two empty ones."""
    either = len(a | b)
    return 1.0 if either == 0 else len(a & b) / either


def level_tree(tree, config, draws):
    """TreePS-RAG and DialTree: every open path proposes several turns; siblings whose results repeat are pruned, and so is what
    the rows have no place for; a tree with too few rows starts again."""
    most = config["leavesPerTree"]
    open_nodes, level = [0], 0
    while True:
        first = min(config["initialBranches"], most - len(tree.leaves()))
        count = first if level == 0 else config["width"] if level < config["levels"] else 1
        front = [tree.add(n) for n in open_nodes for _ in range(count)]
        yield front
        called = [n for n in front if tree.nodes[n]["state"] == "opened"]
        kept = []
        for n in called:
            siblings = [k for k in kept if tree.nodes[k]["parent"] == tree.nodes[n]["parent"]]
            likeness = max([0.0] + [overlap(tree.nodes[k]["result"], tree.nodes[n]["result"]) for k in siblings])
            kept += [n] if likeness <= config["similarity"] else []
        open_nodes = []
        if called:
            rng = draws("expansion", level, tree.choices)
            staying = shuffled(rng, kept)[: max(1, most - len(tree.leaves()))]
            open_nodes = [n for n in kept if n in staying]
            tree.choices += 1
            for n in called:
                if n not in staying:
                    tree.prune(n)
        level += 1
        if not open_nodes:
            if len(tree.leaves()) >= most:
                return
            open_nodes, level = [0], 0


SHAPES = {shape.__name__: shape for shape in (turn_tree, continuation_tree, branching, segment_tree, level_tree)}


def grow(tree, config, draws):
    """Rounds of nodes to sample, by ROLLOUT's shape. Raises KeyError naming a shape that is not here."""
    return SHAPES[config["shape"]](tree, config, draws)


def rows(tree, config, draws):
    """Leaves that become rows, breadth-first: a random part where there are more than S, the same share of each of Tree-GRPO's trees."""
    count, groups = config["leavesPerTree"], [((), lambda n: True)]
    if config["shape"] == "continuation_tree":
        trees = config["initialBranches"]
        groups = [((at,), lambda n, at=at: tree.nodes[n]["root_of"] == at) for at in range(trees)]
    for at, (words, belongs) in enumerate(groups):
        leaves = [n for n in tree.leaves() if belongs(n)]
        share = count // len(groups) + (at < count % len(groups))
        for leaf in shuffled(draws("leaves", *words), leaves)[: max(0, len(leaves) - share)]:
            tree.prune(leaf)
    return tree.leaves()
