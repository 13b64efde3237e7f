import type { LessonData } from '../lesson.ts';

const HERE = 'update=4&prompt=8&leaf=14';

/** Mini-batch 3 of update 4 of the recorded run, whose halves cancel; and mini-batch 3 of update 14, which is dead. */
const LESSON: LessonData = {
  title: 'The loss reads 0 and something is learnt',
  outcome: 'You can tell a loss of 0 that teaches from one that does not, and know what to watch instead.',
  minutes: 6,
  steps: [
    {
      title: 'A loss of nothing',
      text: [
        'An update takes its optimiser steps on [[mini-batches|mini_batch]]. This one holds {rows of the mini-batch} rows, those of this question among them.',
        'Its [[loss|policy_loss]] reads {loss of the mini-batch}; with more digits, {exact loss of the mini-batch}.',
      ],
      at: `${HERE}&view=tree&colour=reward&node=14`,
      predict: {
        kind: 'choice',
        ask: 'Does the step on this mini-batch change the [[policy]]?',
        options: ['No: where the loss is 0 there is nothing to gain', 'Yes: its gradient is not 0'],
        right: 1,
        because:
          'The gradient has norm {gradient norm of the mini-batch}, a usual one for this run. {tokens pushed up of the mini-batch} words are pushed up and {tokens pushed down of the mini-batch} down.',
      },
      reveal: { at: 'view=loss', look: ['balance'] },
      look: ['n14', 'tree'],
      notes: [
        'Take the vote before you explain anything. Usual wrong answer: no, from all who have trained classifiers.',
        'Let one of each side give a reason.',
      ],
    },
    {
      title: 'Two halves',
      text: [
        'The loss is a sum over all sampled words. A word whose [[advantage]] is above zero adds something negative, one below zero something positive.',
        'The first kind adds up to {gain of the mini-batch}.',
      ],
      at: `${HERE}&view=tree&colour=reward&node=14`,
      predict: {
        kind: 'number',
        ask: 'What does the second kind add up to? Two digits will do.',
        of: 'cost of the mini-batch',
        tolerance: 0.03,
        because:
          '{gain of the mini-batch} and {cost of the mini-batch}: they cancel, and {exact loss of the mini-batch} is left.',
      },
      reveal: { at: 'view=loss', look: ['balance'] },
      look: ['n14', 'tree'],
      notes: [
        'It follows from what is on screen: the loss, and the first half. Wait for somebody to see it.',
      ],
    },
    {
      title: 'Why they cancel',
      text: [
        'The rollouts are fresh, so every [[ratio]] is close to 1, and the loss of a word is then about −A. Advantages are centred within each [[tree|turn_tree]], so their weighted sum is close to zero: {signed advantage of the mini-batch}.',
        'So this number is near zero by construction, in the first update as in the last. It is no error that falls.',
      ],
      at: `${HERE}&view=loss&token=38`,
      look: ['balance'],
      notes: ['The sentence to take home: near zero by construction, in the first update as in the last.'],
    },
    {
      title: 'One word of it',
      text: [
        'The right answer of this tree is n14, and its word “Hana” has the advantage {advantage of token 38}. Its loss, before the [[weight|token_weight]], is {loss of token 38}.',
        'What moves the policy is the slope: ∂L/∂logπ = −w·A·s, with weight w = {weight of token 38}, and ratio s = {ratio of token 38}.',
      ],
      at: `${HERE}&view=tree&colour=reward&node=14`,
      predict: {
        kind: 'sign',
        ask: 'What sign has this slope for “Hana”?',
        of: 'push of token 38',
        because:
          'The slope is {push of token 38}. A step goes down the slope: the log-probability of “Hana” rises. Other words have slopes above zero, and theirs fall.',
      },
      reveal: { at: 'view=loss&token=38', look: ['token', 'tokens'] },
      look: ['n14', 'tree'],
      notes: [
        'Usual wrong answer: above zero, since the word was right. Go slowly: down the slope of the loss is up for the word.',
      ],
    },
    {
      title: 'Slopes do not cancel',
      text: [
        'Losses are numbers and cancel in a sum. Slopes belong to different words after different beginnings; each pushes its own logits. Only where rows share a word do they meet.',
      ],
      at: `${HERE}&view=loss&token=38`,
      task: {
        kind: 'choose',
        ask: 'Colour the words by gradient, then look at other leaves: which words go up, which down?',
        done: 'tokens=gradient',
      },
      look: ['tokenColours', 'tokens'],
      notes: [
        'Ask for a word that is pushed up by one row and down by another. It has to be one that both share.',
      ],
    },
    {
      title: 'Another zero',
      text: [
        'A mini-batch ten updates later. Its loss reads {loss of the mini-batch} as well, and here all digits are zeros: {exact loss of the mini-batch}.',
      ],
      at: 'update=14&prompt=7&leaf=11&view=tree&colour=reward',
      predict: {
        kind: 'number',
        ask: 'What norm has the gradient here?',
        of: 'gradient norm of the mini-batch',
        tolerance: 0.001,
        because:
          '{dead prompts of the mini-batch} of {prompts of the mini-batch} [[groups|group]] are [[dead|dead_group]]: within each, all paths earned the same. Every advantage is 0, and so is every slope.',
      },
      reveal: { at: 'view=loss', look: ['balance'] },
      look: ['tree'],
      notes: [
        'By now nobody trusts a zero. Ask what would have to be true of the advantages for this one to be dead.',
      ],
    },
    {
      title: 'What to watch instead',
      text: [
        'The two zeros differ in the gradient’s norm, and in how many groups are dead. Whether the policy gets better, only the [[reward]] says: {exact match of update 1} exact match in the first update, {exact match of update 40} in the last.',
      ],
      at: 'view=train&update=40',
      look: ['exactMatch', 'deadTrees'],
      notes: ['Ask what they plot in runs of their own.'],
    },
  ],
};
export default LESSON;
