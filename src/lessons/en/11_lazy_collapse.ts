import type { LessonData } from '../lesson.ts';

/**
 * A run of its own that collapses, 16 updates: `npm run lab -- --preset instant --seed 5 --updates 16 --eval-questions 24
 * --set datasets=musique --set evaluation.datasets=musique --set evaluation.questions=24 --set evaluation.every=4
 * --record recorded-collapse.ndjson.gz`, then `node scripts/index_recording.mjs recorded-collapse.ndjson.gz`.
 */
const LESSON: LessonData = {
  title: 'The lazy collapse, from its first sign',
  outcome: 'You can see a run fall into lazy guessing from its first signs on, and say why it falls.',
  minutes: 8,
  run: 'recorded-collapse.ndjson.members',
  steps: [
    {
      title: 'A run that will die',
      text: [
        'The same method and settings as before, on harder questions: they take three searches and more. The [[policy]] before training makes {tool calls of update 1} calls on a [[path]] and gets {exact match of update 1} of the questions right.',
        'No setting is broken here. Watch where it goes.',
      ],
      at: 'view=tree&batch=1&update=1',
      look: ['grid'],
      notes: [
        'Do not say how it ends, though the title does. Ask what a healthy run would look like from here.',
      ],
    },
    {
      title: 'Nothing to learn from',
      text: [
        'Update 4 has {trees of update 4} [[trees|turn_tree]], and {dead trees of update 4} of them are [[dead|dead_group]]. The others give a gradient.',
      ],
      at: 'view=tree&batch=1&update=4',
      predict: {
        kind: 'number',
        ask: 'How many of the {trees of update 4} trees hold a right [[leaf]]?',
        of: 'trees with a right leaf of update 4',
        tolerance: 1,
        because:
          'Only {trees with a right leaf of update 4}. {live trees without a right leaf of update 4} trees are alive though nobody is right in them. What stands out there?',
      },
      reveal: { at: 'batch=1&filter=live,,&update=4' },
      look: ['grid'],
      notes: ['Usual wrong answer: as many as are alive. Ask what else can make rewards differ.'],
    },
    {
      title: 'Alive by broken form alone',
      text: [
        'One of these. {right leaves} of {leaves} leaves is right. Some are wrong and earned {reward of n7}; some broke the form and earned {reward of n6}. That is all the difference there is.',
        'Leaf n7 answered after a single search, and was wrong.',
      ],
      at: 'view=tree&colour=reward&update=4&prompt=3&leaf=7',
      predict: {
        kind: 'sign',
        ask: 'What sign has the [[advantage]] of n7?',
        of: 'advantage of n7',
        because:
          '{advantage of n7}. Wrong is better than broken, and better than the mean. A guess made at once is made likelier.',
      },
      reveal: {
        at: 'view=credit&update=4&prompt=3&node=7&leaf=7',
        credit: 'end of advantage',
        look: ['n7', 'tree'],
      },
      look: ['n7', 'tree'],
      notes: ['Usual wrong answer: below zero, since it was wrong. Ask: compared with whom?'],
    },
    {
      title: 'And those who tried?',
      text: [
        'The path to n20 made {turns to n20} turns: three searches, one of them again because it found nothing, and a wrong answer.',
      ],
      at: 'view=tree&colour=reward&update=4&prompt=3&leaf=20',
      predict: {
        kind: 'choice',
        ask: 'What does the answer n20 get, beside n7 with {advantage of n7}?',
        options: ['More: it searched', 'The same', 'Less: it took longer'],
        right: 1,
        because:
          '{advantage of n20}, the same. Searching pays nothing here, and every further turn is one more chance to break the form. Short is safe.',
      },
      reveal: {
        at: 'view=credit&update=4&prompt=3&node=20&leaf=20',
        credit: 'end of advantage',
        look: ['n20', 'n7'],
      },
      look: ['n20', 'tree'],
      notes: ['Usual wrong answer: more, since it searched. Ask who would have to pay for that.'],
    },
    {
      title: 'The first signs',
      text: [
        'Dead trees were the first hint, {dead share of update 1} in update 1 and {dead share of update 2} in update 2; but some are dead in a healthy run as well. If short is safe, the policy must soon ask less.',
        'Exact match says little: {exact match of update 1}, {exact match of update 6} and {exact match of update 10} in updates 1, 6 and 10.',
      ],
      at: 'view=tree&batch=1&update=6',
      predict: {
        kind: 'ranking',
        ask: 'Order the updates by tool calls on a path, most first.',
        items: [
          { label: 'update 1', of: 'tool calls of update 1' },
          { label: 'update 6', of: 'tool calls of update 6' },
          { label: 'update 10', of: 'tool calls of update 10' },
        ],
        because:
          'The paths get short: {depth of update 1} turns, {depth of update 6}, {depth of update 10}. The questions need as many searches as ever. This is the [[lazy collapse|lazy_collapse]].',
      },
      reveal: { at: 'view=tree&batch=1&update=10' },
      look: ['grid'],
      notes: [
        'Ask which single curve they would watch. Most say exact match; it is the one that says least here.',
      ],
    },
    {
      title: 'It looks like progress',
      text: [
        'Meanwhile the form gets better: {malformed share of update 2} of the leaves were [[malformed]] in update 2, {malformed share of update 10} are in update 10. The mean reward rises, entropy falls, {clipped share of update 10} of the words are clipped. A glance at the curves finds a healthy run.',
      ],
      at: 'view=train&update=10',
      look: ['curves'],
      notes: ['The heart of the lesson. Ask who would have stopped the run now.'],
    },
    {
      title: 'Then the trees die',
      text: [
        'With fewer broken forms there is less and less that stands out.',
        'The dead share was {dead share of update 1} in update 1 and {dead share of update 6} in update 6.',
      ],
      at: 'view=tree&batch=1&update=6',
      predict: {
        kind: 'number',
        ask: 'How many of the {trees of update 16} trees of update 16 are dead?',
        of: 'dead trees of update 16',
        tolerance: 2,
        because:
          '{dead trees of update 16}, {all-wrong trees of update 16} of them all wrong. By now the policy cannot find back: it no longer makes the searches that could earn anything.',
      },
      reveal: { at: 'view=tree&batch=1&filter=dead,,&update=16' },
      look: ['grid'],
      notes: ['Take numbers from the room.'],
    },
    {
      title: 'How it ends',
      text: [
        'A tree of update 16. The first search is to the point; then the policy answers with whatever that search found. Most of its {leaves} paths are the same, word for word.',
        'The surprisal of n8 is {surprisal of n8}: it is sure.',
      ],
      at: 'view=tree&colour=reward&update=16&prompt=4&node=8&leaf=8&wholePath=1',
      look: ['tree', 'turn'],
      notes: ['Read two of the paths aloud, word for word.'],
    },
    {
      title: 'The alarm comes late',
      text: [
        'The lab warns of both signs, dead trees and short paths. An update jumps by chance, so alarms look at means over several updates, and come well after the first sign that you have seen.',
      ],
      at: 'view=train&update=16',
      task: {
        kind: 'choose',
        ask: 'Go back to update 4, where it began, and look at its trees: “Tree”, then all of the batch.',
        done: 'view=tree&batch=1&update=4',
      },
      look: ['alarms', 'curves'],
      notes: ['Ask why an alarm has to be late: it must not cry at every jump.'],
    },
    {
      title: 'What might have saved it',
      text: [
        'The price of broken form. Where nobody is right, it alone makes a guess look good. Where it cost nothing, ten of ten runs on these questions went on searching to update 40; at the price of this run five of ten did. More forms stay broken then: 8 % of the leaves in the end, not 2 %.',
        'A mean over words in place of rows helped eight of ten. Scores of all these runs, with their doubt, are under Experiments.',
      ],
      at: 'view=train&update=16',
      look: ['alarms'],
      notes: [
        'Collect cures on the board before you show ours. Say: one task, one size of policy, one adapter.',
      ],
    },
  ],
};
export default LESSON;
