import type { LessonData } from '../lesson.ts';

/** Update 4, prompt 9 of the recorded run: all paths begin alike, three go on alike, one is right. */
const LESSON: LessonData = {
  title: 'A shared prefix counts k times',
  outcome: 'You can say in how many rows a word counts, what reaches it in the sum, and what that does.',
  minutes: 6,
  at: 'update=4&prompt=8&leaf=14',
  steps: [
    {
      title: 'Computed once, counted often',
      text: [
        'A tree becomes one row for each of its {leaves} [[leaves|leaf]], and rows share their beginnings, the [[prefixes|shared_prefix]]. The rows of this update have {row tokens of the update} words; only {unique tokens of the update} are computed.',
        'Shared words are computed once. In the loss they still stand in every row.',
      ],
      at: 'view=tree&colour=reward&node=4',
      look: ['tree'],
      notes: ['Say it twice. The two are often confused: one is about time, the other about the gradient.'],
    },
    {
      title: 'How many rows?',
      text: [
        'The path to the right answer n14 begins with the search of n4, “Tara spouse”. It was sampled {first turns} times at first, and each time it came out the same.',
      ],
      at: 'view=tree&colour=reward&node=4',
      predict: {
        kind: 'number',
        ask: 'In how many of the {leaves} rows does the word “spouse” of this search count?',
        of: 'rows of token 12',
        tolerance: 0,
        because:
          'In all {rows of token 12}: rows share a word where everything up to it is the same, whichever [[turns|turn]] of the tree they come from. There the policy makes one prediction.',
      },
      reveal: { at: 'view=loss&node=4&token=12', look: ['net'] },
      look: ['n4', 'tree'],
      notes: [
        'Usual wrong answer: only the rows that go through n4. Ask what the policy has read at that place in the other rows.',
      ],
    },
    {
      title: 'Each adds its push',
      text: [
        'Every row adds −w·A·s for this word. Those through n4 have the [[advantage]] {advantage of n4}, the others {advantage of n1}: the table on the right has a line for each.',
        'The row of n14 alone pushes with {push of token 12}; below zero makes the word likelier.',
      ],
      at: 'view=tree&colour=advantage&node=4',
      predict: {
        kind: 'choice',
        ask: 'And all {rows of token 12} rows together?',
        options: ['About as strongly', 'Several times as strongly', 'Next to nothing'],
        right: 2,
        because:
          '{net push of token 12} is left. Few rows push up, many a little down, and they nearly cancel: where all paths begin alike, the beginning cannot be what made the difference.',
      },
      reveal: { at: 'view=loss&node=4&token=12', look: ['net'] },
      look: ['n4', 'tree'],
      notes: ['Usual wrong answer: several times as strongly. Ask for the signs of the rows first.'],
    },
    {
      title: 'Where fewer share',
      text: [
        'n9 asks for Will’s father; n10 and n17 ask the same, word for word. So “father” counts in {rows of token 27} rows: one right, with {advantage of n9}, two wrong, with {advantage of n10} each.',
      ],
      at: 'view=tree&colour=reward&node=9',
      predict: {
        kind: 'sign',
        ask: 'What sign has the sum of their slopes?',
        of: 'net push of token 27',
        because:
          '{net push of token 27}, likelier. The right row pushes with {push of token 27}, and the two wrong ones take a little off.',
      },
      reveal: { at: 'view=loss&node=9&token=27', look: ['net'] },
      look: ['n9', 'tree'],
      notes: ['Ask for the three numbers, then for the sign of their sum.'],
    },
    {
      title: 'The weight adds up too',
      text: [
        'Each row gives its words the [[weight|token_weight]] {weight of token 38}. A word that rows share gets the sum of theirs.',
      ],
      at: 'view=loss&node=14&token=36',
      predict: {
        kind: 'ranking',
        ask: 'Order the words by their weight in the sum.',
        items: [
          { label: '“spouse” of n4', of: 'net weight of token 12' },
          { label: '“father” of n9', of: 'net weight of token 27' },
          { label: '“Hana” of n14', of: 'net weight of token 38' },
        ],
        because:
          'The earlier a word, the more rows hold it: {net weight of token 12} at the first search. Where their advantages agree, the beginning is pushed that much harder than the end.',
      },
      reveal: { at: 'view=loss&node=4&token=12' },
      look: ['net'],
      notes: ['The order is easy. Ask when it is a fault that beginnings weigh so much.'],
    },
    {
      title: 'Only one',
      text: [
        'Further down rows part. The first word that a row has to itself gets only its own push: there the policy learns what set this path apart.',
      ],
      at: 'view=loss&node=9&token=27',
      task: {
        kind: 'choose',
        ask: 'Select the first word of this row that no other row counts.',
        done: 'leaf=14&token=38',
      },
      look: ['tokens', 'net'],
      notes: ['Let the room walk along the row and call out.'],
    },
    {
      title: 'Is it right to count k times?',
      text: [
        'For paths sampled one by one it is: a beginning that comes up often should weigh as often. But [[expansion]] chose where this tree shares, so its beginnings weigh more than chance would have them.',
        'TreeRL divides by the root of the number of leaves below a turn. With it n4 gets {advantage of n4 under tree_rl}, and n14, which is alone, {advantage of n14 under tree_rl}.',
      ],
      at: 'view=compare&againstAdvantage=tree_rl&node=4',
      look: ['sides', 'matrix'],
      notes: ['No answer is given here. A good end: let two people argue.'],
    },
  ],
};
export default LESSON;
