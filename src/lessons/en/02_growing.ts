import type { LessonData } from '../lesson.ts';

/** Update 1, prompt 11 of the recorded run; growth 15 is before the first round, 16 its choice, 22 after it, 23 the second choice. */
const LESSON: LessonData = {
  title: 'Growing a tree where the policy is unsure',
  outcome: 'You can rank the turns of a tree for expansion by hand, and say why the ranking is as it is.',
  minutes: 6,
  at: 'update=1&prompt=10&view=tree',
  steps: [
    {
      title: 'First, chains',
      text: [
        'Sampling starts with {first turns} [[paths|path]] of one question, side by side. All begin with the same search: the [[policy]] is sure of it. Its [[surprisal]] is {surprisal of n1} per token.',
      ],
      at: 'growth=15&node=1',
      look: ['tree', 'turn'],
      notes: ['Say that surprisal is measured on what was written anyway. It costs no second model.'],
    },
    {
      title: 'Where is it unsure?',
      text: [
        'To learn what a turn is worth, it has to be tried in another way. But sampling a sure turn again gives the same words again.',
        'Three turns that a search ends: n1 is the first search, n7 the second, n12 tries once more.',
      ],
      at: 'growth=15&node=12&round=0',
      predict: {
        kind: 'ranking',
        ask: 'Order them by surprisal, the most unsure first. Read n12’s words for a hint.',
        items: [
          { label: 'n1, first search', of: 'surprisal of n1' },
          { label: 'n7, second search', of: 'surprisal of n7' },
          { label: 'n12, asks again', of: 'surprisal of n12' },
        ],
        because: 'The later the turn, the less sure here: {surprisal of n12} for n12.',
      },
      reveal: { at: 'growth=15&node=12&round=0' },
      look: ['turn', 'n12'],
      notes: [
        'Usual wrong answer: the first search, since nothing is known yet. But its words stand in the question; later turns depend on what was found.',
      ],
    },
    {
      title: 'Not twice in one place',
      text: [
        'The [[score]] of a [[candidate]] is its surprisal minus a [[sibling penalty|sibling_penalty]]. A turn with many siblings has been tried in many ways already.',
        'n12 has {sibling count of n12} other ways beside it and pays {penalty of n12}.',
      ],
      at: 'growth=15&node=1&round=0',
      predict: {
        kind: 'sign',
        ask: 'n1 has {sibling count of n1} siblings and a surprisal of {surprisal of n1}. What sign has its score?',
        of: 'score of n1',
        because:
          'It pays {penalty of n1}, more than its surprisal: its score is {score of n1}, rank {rank of n1} of {candidates}.',
      },
      reveal: { at: 'growth=16&node=1&round=0' },
      look: ['n1', 'turn'],
      notes: [
        'Let them subtract before hands go up. Usual wrong answer: above zero, since all paths go through such a turn.',
      ],
    },
    {
      title: 'The first round',
      text: [
        'The best candidates are [[expanded|expansion]]: n12 with score {score of n12}, then n7 and n8 with {score of n7} each. Each is sampled again from where it began, and goes on to a new [[leaf]].',
        'n16 is another try at n12. n17, in the place of n7, came out quite different: its surprisal is {surprisal of n17}.',
      ],
      at: 'growth=22&node=16&round=0',
      look: ['tree', 'candidates'],
      notes: [
        'Point at n16, n17 and their siblings. Ask why n7 and n8 have the same score, and let them compare the words.',
      ],
    },
    {
      title: 'The second round',
      text: ['New turns are candidates too, and those that were expanded have one sibling more.'],
      at: 'growth=22&node=17&round=1',
      predict: {
        kind: 'choice',
        ask: 'Who is expanded first now?',
        options: ['n12 once more', 'n17, the surprising one', 'n1, which nobody has tried yet'],
        right: 1,
        because:
          'n17 has the score {score of n17}. n12 now pays {penalty of n12} for its new sibling and has {score of n12}, rank {rank of n12}.',
      },
      reveal: { at: 'growth=23&node=17&round=1' },
      look: ['candidates', 'n17'],
      notes: [
        'Usual wrong answer: n12, which was best before. Ask what has changed for it: it has a sibling more.',
      ],
    },
    {
      title: 'What it brought',
      text: [
        'After {rounds} rounds the tree has {turns} turns and {leaves} leaves, {right leaves} of them right. Of the {first turns} chains one was right.',
        'New leaves share the beginning of old ones, so they cost fewer tokens than new chains, and they stand beside what they can be compared with.',
      ],
      at: 'node=12&round=1',
      task: {
        kind: 'choose',
        ask: 'Colour the tree by reward and look where the right leaves lie.',
        done: 'colour=reward',
      },
      look: ['colours', 'tree'],
      notes: ['Ask first: what would as many leaves have cost as plain chains?'],
    },
    {
      title: 'A word on entropy',
      text: [
        'The paper speaks of [[entropy]]; its code measures [[surprisal]] of what was sampled, as this lab does. One sample may mislead: a turn can be unsure and happen to write its likeliest words.',
      ],
      at: 'node=17&round=1',
      look: ['turn'],
      notes: ['For those who know the paper. Leave it out when time is short.'],
    },
  ],
};
export default LESSON;
