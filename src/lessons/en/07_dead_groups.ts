import type { LessonData } from '../lesson.ts';

const DEAD = 'example=0.5(0.5=0,0.5=0),0.5=0&view=credit&valueRule=child_mean&advantageRule=node_value';
const ALL_RIGHT = 'example=0.5(0.5=1,0.5=1),0.5=1&view=credit&valueRule=child_mean&advantageRule=node_value';

/** Two small trees; then updates 4, 14 and 38 of the recorded run. */
const LESSON: LessonData = {
  title: 'Dead groups',
  outcome: 'You know what makes a group dead, why a right answer can teach nothing, and what helps.',
  minutes: 6,
  steps: [
    {
      title: 'Nobody is right',
      text: [
        'One question, {leaves} [[paths|path]], all wrong. [[Normalisation]] takes the mean of the [[rewards|reward]], {mean of rewards}, off each of them.',
      ],
      at: DEAD,
      credit: 'end of reward',
      predict: {
        kind: 'number',
        ask: 'What is left of the reward of n2?',
        of: 'normalised reward of n2',
        tolerance: 0.001,
        because:
          'Nothing: {normalised reward of n2}. No path is worse than the others, so none is pushed down. The group is [[dead|dead_group]].',
      },
      reveal: { credit: 'end of normalise' },
      look: ['leaves', 'tree'],
      notes: ['All know that this fails. Ask what number failing becomes when everybody fails.'],
    },
    {
      title: 'Everybody is right',
      text: ['The same tree, and all paths are right: {right leaves} of {leaves}.'],
      at: ALL_RIGHT,
      credit: 'end of reward',
      predict: {
        kind: 'sign',
        ask: 'What sign has the [[advantage]] of n1?',
        of: 'advantage of n1',
        because:
          'It is {advantage of n1}. The mean is {mean of rewards}, and a right answer is no better than it. Being right teaches nothing where everybody is.',
      },
      reveal: { credit: 'advantage of n1' },
      look: ['n1', 'formula'],
      notes: ['Usual wrong answer: above zero. Ask: better than whom?'],
    },
    {
      title: 'Wake it up',
      text: [
        'A group lives as soon as one path stands out, up or down. Then every [[turn]] gets a number, the wrong ones too: they are now worse than the mean.',
      ],
      at: DEAD,
      credit: 'end of advantage',
      task: {
        kind: 'reach',
        ask: 'Select leaf n2 in the tree and give it the reward 1.',
        of: 'right leaves',
        value: 1,
      },
      look: ['editor', 'tree'],
      notes: ['Before anybody presses: what happens to the leaves that stay wrong?'],
    },
    {
      title: 'A rare success is loud',
      text: [
        'A real tree of the recorded run: {right leaves} of {leaves} leaves is right. The mean of the rewards is {mean of rewards}, their deviation {deviation of rewards}.',
      ],
      at: 'update=4&prompt=8&view=credit&leaf=14&node=14',
      credit: 'end of reward',
      predict: {
        kind: 'number',
        ask: 'The normalised reward is (r − mean) / deviation. What is it for the right leaf n14?',
        of: 'normalised reward of n14',
        tolerance: 0.15,
        because:
          '{normalised reward of n14}, against {normalised reward of n15} for a wrong one. The rarer the success, the stronger it is pushed: a group close to death shouts before it falls silent.',
      },
      reveal: { credit: 'end of normalise' },
      look: ['n14', 'leaves'],
      notes: [
        'On paper; rounding is allowed. Ask whether this loudness is wanted: it is also the loudness of luck.',
      ],
    },
    {
      title: 'A batch of them',
      text: [
        'Update 14 asked {trees of update 14} questions, and {dead trees of update 14} groups came out dead. The [[policy]] wrote all their words, and learns nothing from them.',
      ],
      at: 'update=14&view=tree&batch=1',
      predict: {
        kind: 'choice',
        ask: 'What were the dead questions of this update?',
        options: ['Too hard: nobody was right', 'Too easy: everybody was', 'Some of each'],
        right: 2,
        because:
          '{all-wrong trees of update 14} were too hard for now, {all-right trees of update 14} are too easy by now. The same silence, and opposite cures.',
      },
      reveal: { at: 'batch=1&filter=dead,,' },
      look: ['grid'],
      notes: ['Usual wrong answer: too hard. Ask which of the two kinds grows as training goes on.'],
    },
    {
      title: 'More with time',
      text: [
        'As the policy gets better, what it has learnt stops teaching it. The run’s exact match is {exact match of update 1} in update 1 and {exact match of update 38} in update 38.',
      ],
      at: 'update=1&view=tree&batch=1',
      predict: {
        kind: 'ranking',
        ask: 'Order these updates by their share of dead groups, greatest first.',
        items: [
          { label: 'update 1', of: 'dead share of update 1' },
          { label: 'update 14', of: 'dead share of update 14' },
          { label: 'update 38', of: 'dead share of update 38' },
        ],
        because:
          'Late in a run most of the dead are too easy: {all-right trees of update 38} of {dead trees of update 38} in update 38. Where they are too hard instead, the run is in danger: that is the last lesson.',
      },
      reveal: { at: 'update=38&view=train', look: ['deadTrees'] },
      look: ['grid'],
      notes: ['A hint: what has been learnt stops teaching.'],
    },
    {
      title: 'A step for nothing',
      text: [
        'Dead groups make the batch smaller. Worst is a [[mini-batch|mini_batch]] of nothing else, like this one: {dead prompts of the mini-batch} of {prompts of the mini-batch} are dead, and its gradient has norm {gradient norm of the mini-batch}.',
      ],
      at: 'update=14&prompt=7&leaf=11&view=loss',
      look: ['balance'],
      notes: ['This is the second zero of lesson 6, seen from its cause.'],
    },
    {
      title: 'What helps',
      text: [
        '[[Dynamic sampling|dynamic_sampling]] drops dead groups and asks other questions in their place. More leaves per question make it likelier that one stands out. Questions of middling difficulty live longest.',
        'A tree helps by itself: it spends its leaves where the policy is [[unsure|surprisal]], so they differ more.',
      ],
      at: 'update=14&view=tree&batch=1&filter=dead,,',
      look: ['grid'],
      notes: [
        'Ask for cures before you show ours. Somebody will say “a reward for trying”; ask what a policy would do with that.',
      ],
    },
  ],
};
export default LESSON;
