import type { LessonData } from '../lesson.ts';

/** Update 1, prompt 11 of the recorded run: n12 asks again, and only its paths are right. */
const LESSON: LessonData = {
  title: 'One reward after many turns',
  outcome:
    'You can say what a reward at the end of a path tells of the turns before it, and what it does not.',
  minutes: 5,
  at: 'update=1&prompt=10&view=tree&colour=reward',
  steps: [
    {
      title: 'A path of turns',
      text: [
        'The [[policy]] has to answer a question that takes several searches. Leaf n15 ends one [[path]]: {turns to n15} [[turns|turn]], each a search or the answer.',
        'The environment pays once, at the end. n15 earned {reward of n15}. The searches before it earned nothing: this is a [[sparse reward|sparse_reward]].',
      ],
      at: 'node=15&leaf=15&onlyPath=1&wholePath=1',
      look: ['tree', 'turn'],
      notes: [
        'Read the path aloud, turn by turn. Ask: which of these words did the environment write? Do not say yet what a turn is worth.',
      ],
    },
    {
      title: 'Which turn was it?',
      text: [
        'Read the words of the path on the right. The first result names the country. The search after it finds nothing of use, so turn n12 asks again.',
        'Other paths began with the same words and were wrong: n11, n13 and n14 answered at once.',
      ],
      at: 'node=12&leaf=15&wholePath=1',
      predict: {
        kind: 'choice',
        ask: 'Which turn of the path to n15 made the difference?',
        options: ['n3, the first search', 'n12, which asks again', 'n15, the answer'],
        right: 1,
        because:
          'All {first turns} paths begin with the same search, and most answer too early. Of the {leaves} leaves {right leaves} are right, and both lie behind a second try.',
      },
      reveal: { at: 'node=12&leaf=15' },
      look: ['n12', 'turn'],
      notes: [
        'Give them half a minute to read before hands go up.',
        'Usual wrong answer: n15, since it earned the reward. Ask what n15 could have answered without n12.',
      ],
    },
    {
      title: 'One number for the whole path',
      text: [
        '[[GRPO|grpo]] knows no tree. It compares the rewards within the [[group]] and gives all tokens of a path the same [[advantage]]: n15’s path gets {advantage of n15}, from its first word to its last.',
      ],
      at: 'view=credit&advantageRule=vanilla&leaf=15&node=15',
      credit: 'advantage of n15',
      predict: {
        kind: 'sign',
        ask: 'n4 is the same search as n3, word for word, but its path ended in a wrong answer. What sign has its advantage?',
        of: 'advantage of n4 under vanilla',
        because:
          'n4 gets {advantage of n4 under vanilla}, since its only leaf n13 was wrong. A good search is made less likely, because a later turn failed.',
      },
      reveal: { at: 'advantageRule=vanilla&leaf=13&node=4', credit: 'end of advantage' },
      look: ['n4', 'tree'],
      notes: [
        'Usual wrong answer: above zero, since n4 is a good search. GRPO sees a path and its end, and no words.',
      ],
    },
    {
      title: 'Pushed up and down at once',
      text: [
        'Turn n3 stands in {leaves below n3} rows of the batch. Right rows push it with {greatest advantage of n3}, wrong ones with {least advantage of n3}. What is left of it is chance.',
        'With enough paths the noise averages out. With few, and many turns, it takes long.',
      ],
      at: 'view=credit&advantageRule=vanilla&node=3&leaf=15',
      credit: 'end of advantage',
      look: ['n3', 'tree'],
      notes: [
        'Ask: how many paths until this averages out? There is no one number; the point is that it grows with the turns of a path.',
      ],
    },
    {
      title: 'Ask the tree',
      text: [
        'The paths share their beginnings, so they can be compared turn by turn. This is [[credit assignment|credit]] by a [[turn tree|turn_tree]]: {value of n12} is the [[value]] of n12, {value of n8} of its [[parent]] n8.',
      ],
      at: 'view=credit&node=12&leaf=15',
      credit: 'end of value',
      predict: {
        kind: 'ranking',
        ask: 'Order these turns by what the tree gives them, greatest first.',
        items: [
          { label: 'n12, asks again', of: 'advantage of n12' },
          { label: 'n8, the search before', of: 'advantage of n8' },
          { label: 'n23, which guesses instead', of: 'advantage of n23' },
        ],
        because:
          'n12 and n23 follow the same turn n8. One asks again, one guesses: {advantage of n12} against {advantage of n23}. That is what the reward did not say by itself.',
      },
      reveal: { at: 'node=12&leaf=15', credit: 'end of advantage' },
      look: ['n12', 'n23'],
      notes: [
        'Ask for the last place first: nearly all put n23 there. The argument is about n12 and n8. Say: n8 is worth what comes after it, on average.',
      ],
    },
    {
      title: 'Where the tree comes from',
      text: [
        'This tree has {turns} turns. It was not there at first: it grew from {first turns} plain chains. Where it grows decides what can be compared. That is the next lesson.',
      ],
      at: 'node=8&leaf=15',
      look: ['tree'],
      notes: [
        'A good place for questions. The usual one: is a tree not expensive? Shared beginnings are written once; the next lesson shows it.',
      ],
    },
  ],
};
export default LESSON;
