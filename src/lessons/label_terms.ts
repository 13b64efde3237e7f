/**
 * By which names labels of the lab call the terms of the glossary: a small list, since labels are drawn before the glossary is
 * fetched. `=name` names the term only where the label says nothing else: `=turn` in “turn 2”, not in “turns pushed up”. Pure.
 */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  policy: ['policy'],
  token: ['=token', '=tokens'],
  turn: ['=turn', '=turns'],
  observation: ['observation'],
  mask: ['mask', 'hatched'],
  prompt: ['=prompt', '=prompts', 'prompts per update'],
  path: ['=path', '=trajectory', '=row', '=rows', 'rows per prompt', 'only path', 'whole path'],
  leaf: ['leaf', 'leaves'],
  reward: ['reward', 'rewards'],
  sparse_reward: ['sparse reward'],
  turn_tree: ['tree', 'trees'],
  root: ['root'],
  parent: ['parent'],
  siblings: ['sibling', 'siblings'],
  group: ['group', 'groups trained on'],
  dead_group: ['dead', 'dead (equal rewards)', 'dead trees', 'dead groups', 'dead prompts'],
  normalisation: ['normalise', 'normalised', 'normalise leaves', 'leaf normalisation'],
  value: ['=value', '=values', 'value V', 'back up values'],
  value_rule: ['value rule', 'value weights'],
  'child-mean': ['child_mean'],
  'child-softmax': ['child_softmax'],
  'leaf-mean': ['leaf_mean'],
  advantage: ['advantage', 'advantages', '=A'],
  turn_advantage: ['turn advantage'],
  node_value: ['node_value'],
  diff_parent: ['diff_parent'],
  diff_global: ['diff_global'],
  diff_localglobal: ['diff_localglobal'],
  policy_gradient: ['policy gradient'],
  credit: ['credit'],
  grpo: ['GRPO'],
  at2po: ['AT²PO'],
  surprisal: ['surprisal', 'H from', '=H'],
  entropy: ['entropy'],
  expansion: ['expansion', '=expand'],
  candidate: ['candidate', 'candidates'],
  score: ['score'],
  sibling_penalty: ['sibling penalty', 'penalty (sib.)', '=α'],
  shared_prefix: ['prefix'],
  malformed: ['malformed'],
  mini_batch: ['mini-batch'],
  policy_loss: ['loss'],
  token_weight: ['weight w', '=weight'],
  ratio: ['ratio', 'ratios'],
  turn_ratio: ['turn ratio'],
  clip: ['clip', 'clip band', 'band', 'clip below', 'clip above'],
  dynamic_sampling: ['dynamic sampling'],
  lazy_collapse: ['lazy collapse'],
  m: ['first turns', '=M', '=M, L, K'],
  l: ['rounds', 'iteration', '=L'],
  k: ['picks per round', 'picked', '=K'],
  rollout: ['rollout', 'rollouts', '=shape'],
  update: ['=update', '=updates', 'other update', 'last update', '=by update'],
  exact_match: ['exact match'],
  held_out: ['held out', 'held-out'],
  evaluation: ['evaluation', 'evaluate every'],
  tool_call: ['tool call', 'tool calls', 'failed call'],
  log_probability: ['log-probability', 'log-prob'],
  log_ratio: ['log-ratio'],
  clip_fraction: ['clip fraction', 'clipped'],
  ppo_kl: ['ppo_kl', 'KL'],
  slope: ['∂L/∂logπ'],
  logits: ['logits'],
  gradient: ['gradient'],
  gradient_norm: ['gradient norm', 'gradient norms', '=norm'],
  gradient_clip: ['gradient clip'],
  gradient_cosine: ['cosine', 'cosines'],
  influence: ['influence'],
  preset: ['preset'],
  seed: ['seed'],
  parameters: ['parameters', 'starting weights'],
  temperature: ['temperature'],
  learning_rate: ['learning rate', '=lr'],
  optimiser: ['optimiser', 'first moment decay', 'second moment decay'],
  weight_decay: ['weight decay'],
  layer: ['=layer', '=layers'],
  width: ['=width', '=width d_model'],
  attention_head: ['attention head', 'query heads', 'key and value heads', 'head size', '=head', 'queries W_q', 'keys W_k', 'values W_v', 'output W_o'], // prettier-ignore
  feed_forward: ['feed-forward width'],
  embedding: ['embed'],
  layer_norm: ['final_norm'],
  data_set: ['data sets', 'data set', 'training data', 'held-out data'],
  hotpot: ['hotpot'],
  '2wiki': ['2wiki'],
  musique: ['musique'],
  bamboogle: ['bamboogle'],
  nq: ['nq'],
  trivia: ['trivia'],
  popqa: ['popqa'],
  unanswerable: ['unanswerable'],
  stale: ['=stale'],
  metered: ['=metered'],
  halfway: ['=halfway'],
  corridor: ['corridor'],
  admission: ['admission', 'admissions'],
  reliability: ['reliability'],
  discount: ['discount'],
  gae: ['GAE'],
  adapter: ['adapter'],
  kernel: ['kernel', 'kernels'],
  dispatch: ['dispatch', 'dispatches'],
  binding: ['=binding'],
  arithmetic: ['=arithmetic'],
  traffic: ['=traffic'],
  bound: ['bound by'],
};

export const LABEL_TERMS: readonly string[] = Object.keys(NAMES);

interface Name {
  readonly term: string;
  readonly words: string;
  readonly isWhole: boolean;
}

/** Longest first: “clip band” is not “clip”. */
const ALL: readonly Name[] = Object.entries(NAMES)
  .flatMap(([term, names]) =>
    names.map((name) => ({ term, words: name.replace(/^=/, ''), isWhole: name.startsWith('=') })),
  )
  .toSorted((a, b) => b.words.length - a.words.length);

const isLetter = (character: string | undefined): boolean => character !== undefined && /[\p{L}\p{N}_]/u.test(character); // prettier-ignore

/** A label without what it counts or names: “turn 2 (n9)” → “turn”. */
const bare = (label: string): string => label.replaceAll(/\(n\d+\)|\bn?\d[\d.,]*\b|[·…():]/gu, ' ').replaceAll(/\s+/g, ' ').trim(); // prettier-ignore

function placeOf({ words, isWhole }: Name, label: string): number {
  // a symbol is written in one way: A is no a
  const same = words.length === 1 ? (text: string) => text : (text: string) => text.toLowerCase();
  if (isWhole && same(bare(label)) !== same(words)) return -1;
  const [text, name] = [same(label), same(words)];
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1))
    if (!isLetter(text[at - 1]) && !isLetter(text[at + name.length])) return at;
  return -1;
}

/** A term that a label names, and where. */
export interface NamedTerm {
  readonly term: string;
  readonly from: number;
  readonly to: number;
}

/** The term that a label names, by its longest name; null: none. */
export function termIn(label: string): NamedTerm | null {
  for (const name of ALL) {
    const from = placeOf(name, label);
    if (from >= 0) return { term: name.term, from, to: from + name.words.length };
  }
  return null;
}
