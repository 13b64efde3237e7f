import type { LessonData } from '../lesson.ts';

/** Four leaves: three below n1, one alone. */
const LESSON: LessonData = {
  title: 'Averaging up the tree',
  outcome:
    'You can compute the value of any turn by hand under child-mean, leaf-mean and child-softmax, and say where they differ.',
  minutes: 6,
  at: 'example=0.5(0.5=1,0.5=1,0.5=0),0.5=0&view=credit&leafNormalisation=0&valueRule=child_mean',
  steps: [
    {
      title: 'A small tree',
      text: [
        'One question, {first turns} first [[turns|turn]]. After turn n1 the paths part: {leaves below n1} [[leaves|leaf]] lie below it. Turn n5 is a leaf by itself.',
        'Only leaves earn a [[reward]]. We want to know how good it was to write n1, which earned nothing itself.',
      ],
      credit: 'end of reward',
      look: ['tree'],
      notes: ['Let somebody draw it on the board. From here on everybody computes on paper.'],
    },
    {
      title: 'A leaf’s value is its reward',
      text: [
        'We leave rewards as they are for now. The leaves below n1 have values {value of n2}, {value of n3} and {value of n4}; leaf n5 has {value of n5}.',
      ],
      credit: 'end of normalise',
      look: ['tree', 'leaves'],
    },
    {
      title: 'The mean of the children',
      text: ['Under [[child-mean]] the [[value]] of a turn is the plain mean of its children’s values.'],
      credit: 'end of normalise',
      predict: {
        kind: 'number',
        ask: 'What is the value of n1?',
        of: 'value of n1',
        tolerance: 0.02,
        because:
          'The mean of {value of n2}, {value of n3} and {value of n4} is {value of n1}. Each child has weight {weight of n2}.',
      },
      reveal: { credit: 'value of n1' },
      look: ['formula', 'n1'],
      notes: ['Easy, and meant to be. Ask for the weights as well as for the result.'],
    },
    {
      title: 'One level higher',
      text: [
        'The root has two children: n1 with value {value of n1}, and the lone leaf n5 with {value of n5}.',
        'Three paths out of four go through n1.',
      ],
      credit: 'value of n1',
      predict: {
        kind: 'number',
        ask: 'What is the value of the root under child-mean?',
        of: 'value of root',
        tolerance: 0.02,
        because:
          'Each child counts alike, with weight {weight of n1}, however many leaves lie below it: {value of root}. The lone leaf has as much say as the three below n1 together.',
      },
      reveal: { credit: 'value of root' },
      look: ['formula'],
      notes: [
        'Usual wrong answer: a half, since two of four leaves are right. Do not call it wrong: it is the rule of the next page.',
      ],
    },
    {
      title: 'Or the mean of the leaves',
      text: [
        '[[Leaf-mean|leaf-mean]] asks another question: what did all paths through here earn on average? It counts leaves, not children.',
      ],
      credit: 'value of root',
      at: 'valueRule=child_mean',
      predict: {
        kind: 'number',
        ask: 'The same tree, counted by leaves: what is the value of the root under leaf-mean?',
        of: 'value of root under leaf_mean',
        tolerance: 0.02,
        because:
          '{right leaves} of {leaves} leaves are right, so the root has {value of root under leaf_mean}: more than {value of root under child_mean}, since n1 counts three times.',
      },
      reveal: { at: 'valueRule=leaf_mean', credit: 'value of root' },
      look: ['formula', 'rules'],
      notes: ['Who said a half before is right now. Ask which of the two they would rather have, and why.'],
    },
    {
      title: 'Which turns change?',
      text: [
        'Both rules start from the same leaves. The value of n1 is {value of n1 under child_mean} under child-mean and {value of n1 under leaf_mean} under leaf-mean: below n1 every child is one leaf, so both count alike.',
        'They part where siblings have different numbers of leaves below them.',
      ],
      at: 'valueRule=leaf_mean',
      credit: 'end of value',
      look: ['tree'],
      notes: ['Ask for a tree in which both rules agree everywhere: one that forks evenly.'],
    },
    {
      title: 'A sure child and an unsure one',
      text: [
        'Another tree. Turn n2 was sure of itself: its [[surprisal]] is {surprisal of n2}. Turn n3 was not: {surprisal of n3}.',
        '[[Child-softmax|child-softmax]] is what AT²PO’s code runs. It gives a child with surprisal H the weight e^H over the sum: unsure children count more.',
      ],
      at: 'example=0.5(0.1=1,1=0),0.5=0&valueRule=child_softmax',
      credit: 'end of normalise',
      predict: {
        kind: 'ranking',
        ask: 'Order these by size: the weight of the sure n2, the weight of the unsure n3.',
        items: [
          { label: 'weight of n2', of: 'weight of n2' },
          { label: 'weight of n3', of: 'weight of n3' },
        ],
        because:
          'The value of n1 is {value of n1}, where an even mean would give {value of n1 under child_mean}: the unsure child was wrong, and its word weighs more.',
      },
      reveal: { credit: 'value of n1' },
      look: ['formula', 'n1'],
      notes: [
        'Ask first which way it should be; both can be defended.',
        'Usual wrong answer: the sure child weighs more. The rule says: look where the policy does not know.',
      ],
    },
    {
      title: 'Equal surprisal, equal weights',
      text: [
        'If all children are equally sure, softmax and plain mean agree. The weights depend on differences of surprisal alone.',
      ],
      at: 'example=0.5(0.1=1,1=0),0.5=0&valueRule=child_softmax',
      credit: 'value of n1',
      task: {
        kind: 'reach',
        ask: 'Select n3 in the tree and set its surprisal to that of n2, in the editor above the tree.',
        of: 'weight of n3',
        value: 0.5,
      },
      look: ['editor', 'formula'],
      notes: ['Let the room say what to type.'],
    },
    {
      title: 'Normalised within the tree',
      text: [
        'In training, rewards are [[normalised|normalisation]] first: minus the mean of the tree, {mean of rewards}, over the deviation, {deviation of rewards}. A right leaf becomes {value of n2}, a wrong one {value of n5}.',
        'Averaging works as before. A value above zero now says: better than this tree’s average.',
      ],
      at: 'leafNormalisation=1',
      credit: 'end of value',
      look: ['tree', 'leaves'],
      notes: ['Ask what becomes of the order of the turns. Nothing: only zero and the unit have moved.'],
    },
  ],
};
export default LESSON;
