import type { LessonData } from '../lesson.ts';

/** Update 9, prompt 5 of the recorded run: n22 guesses where its sibling n19 asks again and is right. */
const LESSON: LessonData = {
  title: 'The same rollouts under GRPO and under the tree',
  outcome:
    'You can say for any turn of a tree what GRPO and the tree’s own rule push it with, and why they part.',
  minutes: 7,
  at: 'update=9&prompt=4&view=compare&advantageRule=vanilla&againstAdvantage=node_value',
  steps: [
    {
      title: 'One tree, read twice',
      text: [
        'These {leaves} [[paths|path]] were sampled once. A rule of [[credit]] reads them afterwards, so two rules can be compared on the very same words.',
        'A is [[GRPO|grpo]]: one number for a whole path. B is what this run was trained with: the [[value]] of each [[turn]] in its [[tree|turn_tree]].',
      ],
      at: 'leaf=22&node=17',
      look: ['sides', 'rulesAB'],
      notes: ['Say that nothing is sampled again. The words are the same; only who is praised changes.'],
    },
    {
      title: 'A path that failed',
      text: [
        'The path to n22 is n1, n17, n22. Two searches, both to the point; then n22 guesses and is wrong. It earned {reward of n22}.',
        'GRPO gives the turns of this path {row advantage of n1}, {row advantage of n17} and {row advantage of n22}: the same, since it was one path with one [[reward]].',
      ],
      at: 'leaf=22&node=22&view=tree&colour=reward&onlyPath=1',
      predict: {
        kind: 'sign',
        ask: 'The tree knows that other paths went on from n17 as well. What sign has the [[advantage]] of n17 under its rule?',
        of: 'advantage of n17 under node_value',
        because:
          '{leaves below n17} paths go through n17. One of them asks again and is right, so n17 has the value {value of n17}: a good place to stand. That n22 failed there is n22’s own doing.',
      },
      reveal: { at: 'view=compare&node=17', look: ['sides'] },
      look: ['n17', 'tree'],
      notes: [
        'Usual wrong answer: below zero, since the path failed. That is GRPO’s answer; ask what the tree knows besides.',
      ],
    },
    {
      title: 'Blame for a late mistake',
      text: [
        'So the two rules push the words of this path in different ways, and not only in size. The first search n1 is shared with still more paths.',
      ],
      at: 'leaf=22&node=22&view=tree&colour=reward&onlyPath=1',
      predict: {
        kind: 'ranking',
        ask: 'Order the turns of this failed path by what the tree gives them, greatest first.',
        items: [
          { label: 'n1, the first search', of: 'advantage of n1 under node_value' },
          { label: 'n17, the second search', of: 'advantage of n17 under node_value' },
          { label: 'n22, the guess', of: 'advantage of n22 under node_value' },
        ],
        because:
          'The guess alone is pushed down. n1 is shared with a path that found nothing, and gets less than n17. GRPO pushes all three with {row advantage of n17}.',
      },
      reveal: { at: 'view=compare', look: ['difference', 'matrix'] },
      look: ['n22', 'tree'],
      notes: ['The last place is clear to all. The question is n1 against n17; give it time.'],
    },
    {
      title: 'Where they part first',
      text: [
        'In this row the rules disagree from its first trained word on: the search n1 is pushed down by GRPO and up by the tree.',
        'The words are shaded by B minus A: orange where the tree gives more.',
      ],
      at: 'leaf=22&node=1',
      look: ['disagreement', 'difference'],
      notes: ['Let the room find the first word at which the two colours part.'],
    },
    {
      title: 'A path that was right',
      text: [
        'The path to n21 made the same two searches, asked again with n19, and earned {reward of n21}. GRPO praises all its turns alike: {row advantage of n1} for n1, {row advantage of n21} for the answer.',
        'But n1 is in {leaves below n1} rows, and wrong ones push it with {least advantage of n1}.',
      ],
      at: 'leaf=21&node=21&view=tree&colour=reward&onlyPath=1',
      predict: {
        kind: 'choice',
        ask: 'Which turn does the tree praise most, next to the answer itself?',
        options: ['n1, where it all began', 'n17, the second search', 'n19, which asks again'],
        right: 2,
        because:
          'After n19 the right answer was certain: {advantage of n19 under node_value}. Before it, success was open: {advantage of n17 under node_value} for n17, {advantage of n1 under node_value} for n1.',
      },
      reveal: { at: 'view=compare&node=19', look: ['difference', 'matrix'] },
      look: ['n21', 'tree'],
      notes: [
        'Usual wrong answer: n17, in the middle of everything. Ask after which turn success was certain.',
      ],
    },
    {
      title: 'Where nothing branches',
      text: [
        'The path to n9 shares no turn with others. There both rules say the same: {advantage of n4 under vanilla} and {advantage of n4 under node_value} for n4.',
        'What is left of a difference comes from the [[deviation|normalisation]]: GRPO takes that of a sample, the tree that of all its [[leaves|leaf]].',
      ],
      at: 'leaf=9&node=4',
      look: ['n4', 'disagreement'],
      notes: [
        'For those who like statistics: deviation of a sample, deviation of all. Leave it out when time is short.',
      ],
    },
    {
      title: 'How often they part',
      text: [
        'All rows of this tree together have {trained tokens} trained words; a word that rows share counts in each.',
      ],
      at: 'leaf=22&node=17&view=tree&colour=reward',
      predict: {
        kind: 'number',
        ask: 'How many of the {trained tokens} are pushed up by one rule and down by the other?',
        of: 'opposite tokens',
        tolerance: 15,
        because:
          '{opposite tokens} of them. Over the whole tree the two rules still mostly agree: the cosine of their advantages is {cosine of the rules}. The tree changes who is praised within a path, and the leaves are the same.',
      },
      reveal: { at: 'view=compare', look: ['disagreement'] },
      look: ['n17', 'tree'],
      notes: ['Take three or four numbers from the room, then hands for each.'],
    },
    {
      title: 'A third rule',
      text: [
        'Any two rules can stand side by side. [[A = V − V(parent)|diff_parent]] gives n17 {advantage of n17 under diff_parent} and n11, which has no [[siblings]], {advantage of n11 under diff_parent}.',
      ],
      at: 'leaf=22&node=17',
      task: {
        kind: 'choose',
        ask: 'Set the advantage of rule B to “Gain over the parent” and look which turns of the path it praises.',
        done: 'againstAdvantage=diff_parent',
      },
      look: ['rulesAB', 'matrix'],
      notes: ['Try a rule that the room names.'],
    },
  ],
};
export default LESSON;
