/** The glossary goes on: settings, the model, data sets and the machine. */
import type { Glossary } from '../lesson.ts';

export const MACHINE_TERMS: Glossary = {
  preset: {
    title: 'Preset',
    text: 'A size of model and run with settings that go together. What differs from it stands above the settings.',
  },
  seed: {
    title: 'Seed',
    text: 'The number from which all chance of a run follows. The same seed on the same adapter gives the same run.',
  },
  parameters: {
    title: 'Parameters, weights',
    text: 'The numbers of the model that training changes.',
  },
  temperature: {
    title: 'Temperature, τ',
    text: 'Divides the [[logits]] before sampling. Above 1 the policy writes more at random, below 1 more surely.',
  },
  learning_rate: {
    title: 'Learning rate, lr',
    text: 'How far a step of the [[optimiser]] goes.',
  },
  optimiser: {
    title: 'Optimiser, AdamW',
    text: 'Takes a step for each gradient. AdamW keeps running means of the gradient and of its square (first and second moment) and divides one by the root of the other.',
  },
  weight_decay: {
    title: 'Weight decay',
    text: 'Draws all [[parameters]] a little towards 0 in every step, beside the gradient. No weight of tokens.',
  },
  layer: {
    title: 'Layer',
    text: 'A block of the transformer: [[attention|attention_head]], then a [[feed-forward|feed_forward]] part. Blocks follow one another.',
  },
  width: {
    title: 'Width, d_model',
    text: 'How many numbers stand for a token between [[layers|layer]].',
  },
  attention_head: {
    title: 'Attention head',
    text: 'Looks from a token at those before it. It compares queries (W_q) with keys (W_k), takes the mean of the values (W_v) by how well they fit, and writes it back (W_o).',
  },
  feed_forward: {
    title: 'Feed-forward part',
    text: 'Works on each token by itself after attention has brought in the others. Here SwiGLU.',
  },
  embedding: {
    title: 'Embedding',
    text: 'The table with a row of numbers for each token of the vocabulary: what a token is before the first [[layer]].',
  },
  layer_norm: {
    title: 'Norm of a layer',
    text: 'Brings the numbers of a token to one size before the next part reads them; final_norm stands before the logits.',
  },
  data_set: {
    title: 'Data set',
    text: 'A family of questions. The lab makes its own in small worlds, after the data sets of the paper whose names they have.',
  },
  hotpot: {
    title: 'hotpot',
    text: 'Questions of two hops, after HotpotQA: “X’s father’s birthplace?” takes two searches, one after the other.',
  },
  '2wiki': {
    title: '2wiki',
    text: 'Questions after 2WikiMultihopQA: half of them take two hops, half compare two things.',
  },
  musique: {
    title: 'musique',
    text: 'Questions of three hops, or four, after MuSiQue. They need most searches, and are the hardest here.',
  },
  bamboogle: {
    title: 'bamboogle',
    text: 'Questions of two hops, after Bamboogle. The search is against them: the true result usually comes second.',
  },
  nq: { title: 'nq', text: 'Questions of one hop, after Natural Questions: one search is enough.' },
  trivia: {
    title: 'trivia',
    text: 'Questions of one hop, after TriviaQA. The question uses another word for the relation than the search knows.',
  },
  popqa: {
    title: 'popqa',
    text: 'Questions of one hop, after PopQA, mostly about things that are rare in training.',
  },
  unanswerable: {
    title: 'unanswerable',
    text: 'Questions of one or two hops, one of which the search knows nothing of. The right answer is to say so: an [[admission]].',
  },
  stale: {
    title: 'stale',
    text: 'Questions of one or two hops where half of the first looks show a value that is out of date. Asking the same again shows the true one; nothing on the page tells which is which.',
  },
  metered: {
    title: 'metered',
    text: 'Questions of two hops where every call that is answered costs 0.2 of the [[reward]]. Held-out scores do not count the cost.',
  },
  halfway: {
    title: 'halfway',
    text: 'Questions of two or three hops where naming a step on the way is paid 0.5. Held-out scores count whole answers alone.',
  },
  corridor: {
    title: 'corridor',
    text: 'A task without search: a key and a door, in three or four turns.',
  },
  admission: {
    title: 'Admission',
    text: 'An answer that says “I do not know”. BAPO’s rewards pay for it where nobody knows better.',
  },
  reliability: {
    title: 'Reliability',
    text: 'BAPO’s measure, (1 − ρ) · precision + ρ · accuracy, with ρ the share of [[admissions|admission]]: those that answer should be right.',
  },
  discount: {
    title: 'Discount, γ',
    text: 'Weight of what happens a step later. At 1 the end counts as much as the beginning.',
  },
  gae: {
    title: 'GAE, λ',
    text: 'Generalised advantage estimation: a mean of looking one step ahead, two, three and so on, λ saying how far. It needs a critic that guesses values.',
  },
  adapter: {
    title: 'Adapter',
    text: 'What WebGPU calls the GPU, or a program that stands in for one. Sums are rounded differently on different adapters, so runs differ as well.',
  },
  kernel: {
    title: 'Kernel',
    text: 'A small program that the GPU runs on many numbers at once, written in WGSL.',
  },
  dispatch: {
    title: 'Dispatch',
    text: 'One call of a [[kernel]]. What a call costs by itself adds up where there are many small ones.',
  },
  binding: {
    title: 'Binding',
    text: 'The place at which a [[kernel]] finds a buffer: what it reads, and what it writes.',
  },
  arithmetic: {
    title: 'Arithmetic',
    text: 'Additions and multiplications in a second, beside the most that was reached on this machine.',
  },
  traffic: {
    title: 'Traffic',
    text: 'Bytes read and written in a second, beside the most that was reached on this machine.',
  },
  bound: {
    title: 'Bound by',
    text: 'What the time of a [[kernel]] goes into: [[arithmetic]] or [[traffic]] near the device’s best, the starts of many short [[dispatches|dispatch]], too few groups to fill the device, or something other.',
  },
};
