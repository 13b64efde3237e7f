// A recording of one update with one large tree, for measuring the page. The run's settings are those of a real one.
import { gunzipSync } from 'node:zlib';

const WIDTHS = [2, 3, 4, 5]; // children of a turn: none is stacked
const DEPTH = 8; // turns of a path at most

/** Park and Miller's generator: the same tree every time. */
function randomFrom(seed) {
  let state = seed;
  return (below) => (state = (state * 48271) % 2147483647) % below;
}

const turn = (id, parent, depth, random, vocabulary, ending) => {
  const length = 4 + random(8);
  const tokens = Array.from({ length }, () => random(vocabulary));
  const noise = () => random(1000) / 1000;
  return {
    id,
    parent,
    children: [],
    tree: 0,
    depth,
    origin: parent === 0 ? { kind: 'initial', branch: id - 1 } : { kind: 'continuation' },
    tokens,
    mask: tokens.map(() => 1),
    logProb: tokens.map(() => -noise()),
    entropy: tokens.map(() => noise()),
    turnSurprisal: noise() * 0.7,
    lastGenerationLength: length,
    callCount: depth + (ending ? 0 : 1),
    ending,
    pruned: false,
  };
};

/** Breadth-first until `count` turns stand; the last rank and whoever has no children are leaves. */
function growNodes(count, vocabulary) {
  const random = randomFrom(20261121);
  const sketch = [{ parent: null, depth: -1, children: 0 }];
  for (let at = 0; at < sketch.length && sketch.length <= count; at += 1) {
    const { depth } = sketch[at];
    const width = at === 0 ? 8 : depth >= DEPTH || random(6) === 0 ? 0 : WIDTHS[random(WIDTHS.length)];
    for (let child = 0; child < width && sketch.length <= count; child += 1) {
      sketch.push({ parent: at, depth: depth + 1, children: 0 });
      sketch[at].children += 1;
    }
  }
  if (sketch.length <= count) throw new Error(`The tree ended with ${sketch.length - 1} turns of ${count}.`);
  return sketch
    .slice(1)
    .map(({ parent, depth, children }, index) =>
      turn(index + 1, parent, depth, random, vocabulary, children === 0 ? 'answer' : null),
    );
}

/**
 * @param count turns of the tree
 * @param real bytes of a gzipped recording: its run and the metrics of its first update are taken over
 * @returns the recording as text
 */
export function syntheticRun(count, real) {
  const lines = gunzipSync(real).toString('utf8').split('\n').filter(Boolean);
  const [format, ...events] = lines.map((line) => JSON.parse(line));
  const of = (kind) => events.find((event) => event.kind === kind);
  const started = of('run-started');
  const [prompt] = of('update-started').prompts;
  const nodes = growNodes(count, started.environment.vocabulary.length);
  const at = { update: 1, prompt: 0 };
  const inner = nodes.filter(({ ending }) => ending === null);
  const ranked = inner.toSorted((a, b) => b.turnSurprisal - a.turnSurprisal);
  const rankOf = new Map(ranked.map(({ id }, rank) => [id, rank]));
  const candidates = inner.map(({ id, turnSurprisal }) => {
    const rank = rankOf.get(id);
    return {
      node: id,
      turnSurprisal,
      siblingCount: 0,
      penalty: 0,
      score: turnSurprisal,
      rank,
      pickCount: rank < 3 ? 1 : 0,
    };
  });
  const record = { iteration: 0, candidates, picks: ranked.slice(0, 3).map(({ id }) => id) };
  const leaves = nodes.filter(({ ending }) => ending !== null).map(({ id }) => id);
  const rewards = [null, ...nodes.map(({ id, ending }) => (ending === null ? null : id % 3 === 0 ? 1 : id % 7 === 0 ? -1 : 0))]; // prettier-ignore
  const log = [
    started,
    { kind: 'update-started', update: 1, prompts: [prompt] },
    ...nodes.map((node) => ({ kind: 'node', ...at, node })),
    { kind: 'expansion', ...at, record },
    { kind: 'leaves', ...at, leaves, pruned: [] },
    { kind: 'rewards', update: 1, trees: [{ prompt: 0, byNode: rewards }] },
    { ...of('metrics'), update: 1 },
  ];
  return [format, ...log, { kind: 'end', events: log.length }]
    .map((event) => `${JSON.stringify(event)}\n`)
    .join('');
}
