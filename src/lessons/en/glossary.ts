/** Terms of the field as the lab means them. A key is the term in lower case, words joined by `_`. */
import type { Glossary } from '../lesson.ts';
import { MACHINE_TERMS } from './glossary_machine.ts';

const GLOSSARY: Glossary = {
  policy: {
    title: 'Policy',
    text: 'The model that writes. Given the words so far it says how likely each next [[token]] is, and one is drawn.',
  },
  token: { title: 'Token', text: 'The unit that the model reads and writes; here a word or a mark.' },
  turn: {
    title: 'Turn',
    text: 'What the [[policy]] writes in one go: up to a tool call, or up to its answer. In a tree a turn is a node.',
  },
  observation: {
    title: 'Observation',
    text: 'Words that the environment puts in: what a tool found. The policy reads them and never trains on them; their [[mask]] is 0.',
  },
  mask: {
    title: 'Mask',
    text: '1 where the policy sampled the token, 0 where somebody else wrote it. Only tokens with mask 1 have a loss.',
  },
  prompt: { title: 'Prompt', text: 'The question that all paths of a tree start from.' },
  path: {
    title: 'Path, trajectory',
    text: 'All turns from the question to one [[leaf]]. It becomes one row of the training batch.',
  },
  leaf: {
    title: 'Leaf',
    text: 'The turn that ends a [[path]]: an answer, or a broken form. Only leaves earn a [[reward]].',
  },
  reward: {
    title: 'Reward',
    text: 'The number that the environment pays for a finished path: 1 for a right answer, 0 for a wrong one, −1 for a broken form.',
  },
  sparse_reward: {
    title: 'Sparse reward',
    text: 'A [[reward]] that comes once, at the end of a path, and says nothing of the turns before.',
  },
  turn_tree: {
    title: 'Turn tree',
    text: 'Several paths of one question that share their beginnings. A node is a [[turn]]; children are different ways to go on.',
  },
  root: { title: 'Root', text: 'The question itself. It has a [[value]], and nothing of it is trained on.' },
  parent: {
    title: 'Parent',
    text: 'The turn that comes just before. Turns with one parent are [[siblings]].',
  },
  siblings: {
    title: 'Siblings',
    text: 'Turns that follow the same turn: different ways to go on from there.',
  },
  group: {
    title: 'Group',
    text: 'All paths of one question. Rewards are compared within it, so that an easy question teaches no more than a hard one.',
  },
  dead_group: {
    title: 'Dead group, dead tree',
    text: 'A [[group]] whose paths all earned the same. Nothing is better than anything else: every advantage is 0 and the question teaches nothing.',
  },
  normalisation: {
    title: 'Normalisation of leaves',
    text: 'A reward minus the mean of the tree’s rewards, over their standard deviation. Above zero is better than the tree’s average.',
  },
  value: {
    title: 'Value, V',
    text: 'How good it is to stand after a turn: an average of what lies below it, by a [[value rule]]. Of a leaf it is the reward, normalised within the tree.',
  },
  value_rule: {
    title: 'Value rule',
    text: 'How children are weighed in the average: alike ([[child-mean]]), by their surprisal ([[child-softmax]]), or by the number of leaves below ([[leaf-mean]]).',
  },
  'child-mean': {
    title: 'child_mean',
    text: 'V is the mean of the children’s values. Every child counts alike, however many leaves lie below it.',
  },
  'child-softmax': {
    title: 'child_softmax',
    text: 'V is a weighted mean of the children’s values. A child with [[surprisal]] H has weight e^H over the sum of all e^H: unsure turns count more.',
  },
  'leaf-mean': {
    title: 'leaf_mean',
    text: 'V is the mean over all leaves below. Every [[path]] counts alike, so a child with many leaves counts more.',
  },
  advantage: {
    title: 'Advantage, A',
    text: 'What every token of a turn is pushed with: above zero the turn becomes more likely, below zero less likely, at zero nothing moves.',
  },
  turn_advantage: {
    title: 'Turn advantage',
    text: 'An [[advantage]] of its own for every turn, from the [[values|value]] around it. In GRPO all turns of a path share one.',
  },
  node_value: {
    title: 'node_value: value itself',
    text: 'A = V(turn). Leaves are centred on their tree, so a value already is a difference from the tree’s average. AT²PO’s main setting.',
  },
  diff_parent: {
    title: 'diff_parent: gain over the parent',
    text: 'A = V(turn) − V(parent). What this turn added. A turn without [[siblings]] has its parent’s value, so its advantage is 0.',
  },
  diff_global: {
    title: 'diff_global: gain over the root',
    text: 'A = V(turn) − V(root). How much better the turn is than the question as a whole.',
  },
  diff_localglobal: {
    title: 'diff_localglobal: both gains',
    text: 'A = (V(turn) − V(root)) + (V(turn) − V(parent)). The sum of [[diff_global]] and [[diff_parent]].',
  },
  policy_gradient: {
    title: 'Policy gradient',
    text: 'Make what was good more likely: the gradient of log-probability times [[advantage]], over all sampled tokens.',
  },
  credit: {
    title: 'Credit assignment',
    text: 'Saying which turns a reward was owed to. The lab steps through it: [[reward]], [[normalisation]], [[value]], [[advantage]], tokens.',
  },
  grpo: {
    title: 'GRPO',
    text: 'Group relative policy optimisation: every token of a path gets the path’s [[reward]], normalised within the [[group]]. It knows no tree.',
  },
  at2po: {
    title: 'AT²PO',
    text: 'Agentic turn-based policy optimisation over a tree: grow it where the policy is unsure, give every turn its own credit, clip by turn.',
  },
  surprisal: {
    title: 'Surprisal, H',
    text: 'Minus the log-probability of the sampled tokens, mean over a turn, in nats. High where the policy was unsure of what it wrote. The paper’s code calls it entropy.',
  },
  entropy: {
    title: 'Entropy',
    text: 'How spread out the whole distribution of the next token is, in nats; 0 when one token is certain. [[Surprisal|surprisal]] is a one-sample estimate of it.',
  },
  expansion: {
    title: 'Expansion',
    text: 'Sampling a turn of a finished tree again, in another way, and going on from there to a new leaf.',
  },
  candidate: {
    title: 'Candidate',
    text: 'A turn that may be expanded. Candidates are ranked by their [[score]].',
  },
  score: {
    title: 'Score of a candidate',
    text: 'Its [[surprisal]] minus a [[sibling penalty]]. The best are expanded.',
  },
  sibling_penalty: {
    title: 'Sibling penalty, α',
    text: 'Taken off the [[score]] for every sibling that stands there already, so that not every expansion goes to one place.',
  },
  shared_prefix: {
    title: 'Shared prefix',
    text: 'Words with which several rows begin. The policy predicts each of them once; every row that holds it adds its own push.',
  },
  malformed: {
    title: 'Malformed, broken form',
    text: 'A path that breaks the grammar of calls and answers: a tag that is missing or not its own. It ends there and earns less than a wrong answer.',
  },
  mini_batch: {
    title: 'Mini-batch',
    text: 'The rows of some questions of an update. The optimiser takes a step on each, one after the other; all were sampled before the first.',
  },
  policy_loss: {
    title: 'Loss of the policy',
    text: 'Minus [[advantage]] times [[ratio]], clipped, over all sampled words with their weights. Its gradient is the [[policy gradient]]; its size says little.',
  },
  token_weight: {
    title: 'Weight of a word',
    text: 'Its share in the loss. Here 1 over the rows of the mini-batch and over the trained words of its own row, so that every row has the same say.',
  },
  ratio: {
    title: 'Importance ratio',
    text: 'Probability of a word now over its probability when it was sampled. It is 1 until the first step is taken.',
  },
  turn_ratio: {
    title: 'Turn ratio, s',
    text: 'One [[ratio]] for a turn: the exponential of the mean of its words’ log-ratios.',
  },
  clip: {
    title: 'Clip band',
    text: 'From 1 − ε to 1 + ε. A push stops where the [[ratio]] has left the band in the direction of the push: far enough for these rollouts.',
  },
  dynamic_sampling: {
    title: 'Dynamic sampling',
    text: 'DAPO’s filter: a [[dead group]] is dropped, and other questions are sampled in its place.',
  },
  lazy_collapse: {
    title: 'Lazy collapse',
    text: 'A run that learns to answer at once instead of searching. Paths get short, rewards equal, [[groups|group]] dead; it seldom recovers.',
  },
  m: {
    title: 'First turns, M',
    text: 'How many chains a question starts with, before its tree grows. AT²PO writes a tree’s size as M, [[L|l]], [[K|k]]: M + L · K leaves at most.',
  },
  l: {
    title: 'Rounds, iterations, L',
    text: 'How often a tree grows: in each round the best [[candidates|candidate]] are [[expanded|expansion]].',
  },
  k: {
    title: 'Picks per round, K',
    text: 'How many [[candidates|candidate]] of a tree are [[expanded|expansion]] in each [[round|l]]. Each pick brings one more leaf.',
  },
  rollout: {
    title: 'Rollout',
    text: 'Letting the [[policy]] act until it ends, and what it wrote: the [[paths|path]] of all questions of an [[update]].',
  },
  update: {
    title: 'Update, step',
    text: 'One batch of [[rollouts|rollout]], and all that is learnt from it: an optimiser step on each of its [[mini-batches|mini_batch]].',
  },
  exact_match: {
    title: 'Exact match',
    text: 'Share of questions whose answer is the right one, word for word.',
  },
  held_out: {
    title: 'Held out',
    text: 'Questions that training never sees. What is measured on them tells whether something general was learnt.',
  },
  evaluation: {
    title: 'Evaluation',
    text: 'The [[policy]] answers [[held-out|held_out]] questions, every so many updates, and learns nothing from it.',
  },
  tool_call: {
    title: 'Tool call',
    text: 'Words that ask the environment to do something, here to search. They end the [[turn]]; what comes back is the [[observation]].',
  },
  log_probability: {
    title: 'Log-probability, log π',
    text: 'Natural logarithm of the probability that the [[policy]] gives a token, in nats. Old: when it was sampled. New: at the step on screen.',
  },
  log_ratio: {
    title: 'Log-ratio',
    text: 'New minus old [[log-probability|log_probability]]; the logarithm of the [[ratio]]. 0 where the policy has not moved.',
  },
  clip_fraction: {
    title: 'Clip fraction',
    text: 'Share of the trained tokens that are [[clipped|clip]]: they push no more in this step.',
  },
  ppo_kl: {
    title: 'ppo_kl',
    text: 'Mean of old minus new [[log-probability|log_probability]] over the trained tokens, in nats: an estimate of how far an update has moved the policy from the one that sampled.',
  },
  slope: {
    title: 'Slope, ∂L/∂log π',
    text: 'What the [[loss|policy_loss]] gains when the token’s log-probability rises. A step goes down the slope: below zero the token becomes likelier.',
  },
  logits: {
    title: 'Logits',
    text: 'The model’s numbers for all possible next tokens. Their softmax is the probability of each.',
  },
  gradient: {
    title: 'Gradient',
    text: 'How the [[loss|policy_loss]] changes with each parameter, or, where tokens are shown, with the token’s log-probability: its [[slope]].',
  },
  gradient_norm: {
    title: 'Gradient norm',
    text: 'Length of the gradient: the root of the summed squares over all parameters. At 0 nothing is learnt, whatever the loss reads.',
  },
  gradient_clip: {
    title: 'Gradient clip',
    text: 'A gradient whose [[norm|gradient_norm]] is above this is scaled down to it. It has nothing to do with the [[clip band|clip]] of ratios.',
  },
  gradient_cosine: {
    title: 'Cosine of two gradients',
    text: '1 where two rules move the parameters in the same direction, 0 where they have nothing in common, −1 where they are opposed.',
  },
  influence: {
    title: 'Influence of a leaf',
    text: 'How an [[advantage]] would change if this leaf had not been sampled: all means and deviations are taken anew without it.',
  },
  ...MACHINE_TERMS,
};
export default GLOSSARY;
