import type { LessonData } from '../lesson.ts';

/** n2 has no siblings; n3 and n4 part below it. */
const LESSON: LessonData = {
  title: 'From value to turn advantage',
  outcome:
    'You know what a turn is pushed with under three rules, and which turns get silence under the gain over the parent.',
  minutes: 6,
  at: 'example=0.5(0.5(0.5=1,0.5=0)),0.5=0&view=credit&valueRule=child_mean',
  steps: [
    {
      title: 'Values stand, advantages are missing',
      text: [
        'Every turn has a [[value]] by now: how good it is to stand there. Training needs an [[advantage]]: should the policy write this turn more often, or less?',
        'Turn n1 is followed by n2, and by nothing else. After n2 the paths part.',
      ],
      credit: 'end of value',
      look: ['tree'],
      notes: ['Say it in one sentence: a value is of a place, an advantage is of a move.'],
    },
    {
      title: 'The value itself',
      text: [
        'AT²PO’s main rule is the shortest: [[A = V|node_value]]. Rewards were [[normalised|normalisation]] within the tree, so a value already says “better than the average” by its sign.',
      ],
      at: 'advantageRule=node_value',
      credit: 'end of value',
      predict: {
        kind: 'sign',
        ask: 'What sign has the advantage of n1?',
        of: 'advantage of n1',
        because:
          'One leaf of two below it is right, {value of n1} on average. The whole tree has {right leaves} of {leaves}, so n1 is better than the average path.',
      },
      reveal: { at: 'advantageRule=node_value', credit: 'advantage of n1' },
      look: ['formula', 'n1'],
      notes: [
        'Usual wrong answer: zero, since half of what lies below is right. Ask: half, compared with what?',
      ],
    },
    {
      title: 'All turns of the good path',
      text: [
        'n1, n2 and n3 lead to the right answer: they get {advantage of n1}, {advantage of n2} and {advantage of n3}. The wrong leaf n4, which shares two of these turns, gets {advantage of n4}.',
        'In [[GRPO|grpo]] the two paths would push n1 up and down at once. Here n1 has one number.',
      ],
      at: 'advantageRule=node_value',
      credit: 'end of advantage',
      look: ['tree'],
      notes: ['Remind them of the first lesson, where one turn was pushed up and down at once.'],
    },
    {
      title: 'The gain over the parent',
      text: ['Another rule asks what the turn itself added: [[A = V − V(parent)|diff_parent]].'],
      at: 'advantageRule=diff_parent',
      credit: 'end of value',
      predict: {
        kind: 'choice',
        ask: 'Under this rule one turn gets no push at all. Which?',
        options: ['n1, the first turn', 'n2, which has no siblings', 'n4, the wrong leaf'],
        right: 1,
        because:
          'n2 is its parent’s only child, so both have the value {value of n2}, and the gain is {advantage of n2 under diff_parent}. Silence: the tree holds nothing that n2 could be compared with.',
      },
      reveal: { at: 'advantageRule=diff_parent', credit: 'advantage of n2' },
      look: ['formula', 'n2'],
      notes: ['Usual wrong answer: n4, the wrong leaf. Ask what is blame, and what is silence.'],
    },
    {
      title: 'Silence is common',
      text: [
        'Only where paths part does a turn have [[siblings]]. Most turns of a tree have none, and under diff_parent they are not trained. So the rule learns slowly.',
        'What it does train is sharp: n3 gets {advantage of n3} and n4 {advantage of n4}. They differ in one turn only.',
      ],
      at: 'advantageRule=diff_parent',
      credit: 'end of advantage',
      look: ['tree', 'n3', 'n4'],
      notes: ['Ask whether silence is a fault. It is honest: the tree knows nothing about that turn.'],
    },
    {
      title: 'The gain over the root',
      text: [
        '[[A = V − V(root)|diff_global]] compares with the question as a whole. The root’s value is {value of root}.',
      ],
      at: 'advantageRule=diff_global',
      credit: 'end of value',
      predict: {
        kind: 'number',
        ask: 'n2 has the value {value of n2}. What is its advantage?',
        of: 'advantage of n2',
        tolerance: 0.02,
        because:
          '{value of n2} minus {value of root} is {advantage of n2}. No silence: the root has more below it than n2.',
      },
      reveal: { at: 'advantageRule=diff_global', credit: 'advantage of n2' },
      look: ['formula', 'n2'],
      notes: ['On paper. Both numbers stand on the pages before.'],
    },
    {
      title: 'Why not zero already?',
      text: [
        'Leaves are centred, so why is the root not at 0? Centring counts leaves; [[child-mean]] counts children. The lone wrong leaf n5 has half the say at the root.',
        'Under [[leaf-mean]] the root is at {value of root under leaf_mean}, and both rules agree.',
      ],
      at: 'advantageRule=diff_global',
      credit: 'value of root',
      look: ['formula'],
      notes: [
        'The hardest page. Go back to lesson 3, “One level higher”, if faces are blank; or leave it out.',
      ],
    },
    {
      title: 'Both gains',
      text: ['The fourth rule [[adds the two gains|diff_localglobal]]: over the root, and over the parent.'],
      at: 'advantageRule=diff_localglobal',
      credit: 'end of value',
      predict: {
        kind: 'ranking',
        ask: 'Order the turns by their advantage under both gains.',
        items: [
          { label: 'n1', of: 'advantage of n1' },
          { label: 'n2', of: 'advantage of n2' },
          { label: 'n3', of: 'advantage of n3' },
          { label: 'n4', of: 'advantage of n4' },
        ],
        because:
          'n1 gains twice over the root, which is its parent. n2 gains once: over its parent nothing. So the same good path is pushed unevenly.',
      },
      reveal: { at: 'advantageRule=diff_localglobal', credit: 'end of advantage' },
      look: ['tree'],
      notes: [
        'Let them do n1 and n2 by hand. What is asked is why they differ, though both lie on the good path.',
      ],
    },
    {
      title: 'Give n2 a sibling',
      text: [
        'Back to the gain over the parent, where n2 is silent: {advantage of n2}.',
        'Silence ends as soon as there is something to compare with. That is what growing the tree is for.',
      ],
      at: 'advantageRule=diff_parent',
      credit: 'end of advantage',
      task: {
        kind: 'reach',
        ask: 'Select n1 in the tree and press “+ leaf”: a second way to go on, which earns nothing.',
        of: 'children of n1',
        value: 2,
      },
      look: ['editor', 'n1'],
      notes: ['Before anybody presses: which way will n2 go, and why?'],
    },
  ],
};
export default LESSON;
