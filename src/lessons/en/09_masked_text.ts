import type { LessonData } from '../lesson.ts';

/** Update 4 of the recorded run: prompt 9, whose n14 is right, and prompt 11, whose n6 writes a tag that is not its own. */
const LESSON: LessonData = {
  title: 'Why tool text is masked',
  outcome: 'You can say which words of a row are trained on, which are not, and what would go wrong.',
  minutes: 5,
  at: 'update=4&prompt=8&leaf=14&view=loss',
  steps: [
    {
      title: 'A row has two authors',
      text: [
        'A row of the batch is all that stands on one [[path]], in order. The [[policy]] wrote its searches and the answer; the environment put the results between them, as [[observations|observation]].',
        'Turn n9 opens with {masked tokens of n9} words of the environment, hatched; the {tokens of n9} that follow are the policy’s own.',
      ],
      at: 'node=9&token=21',
      look: ['tokens'],
      notes: ['Let them say who wrote each stretch before you point at the hatching.'],
    },
    {
      title: 'Count them',
      text: [
        'From the question to the end of n14 the row has {turns to n14} turns: two searches and an answer.',
      ],
      at: 'node=14&token=36',
      predict: {
        kind: 'number',
        ask: 'How many words of this row are trained on?',
        of: 'sampled tokens to n14',
        tolerance: 2,
        because:
          '{tokens of n4}, {tokens of n9} and {tokens of n14}: {sampled tokens to n14}. {masked tokens to n14} more are the environment’s; their [[mask]] is 0.',
      },
      look: ['tokens', 'lane'],
      notes: ['Usual wrong answer: all words of the row. Ask which of them the policy chose.'],
    },
    {
      title: 'A word of the result',
      text: [
        'The first result says who Tara’s spouse is: “Will”. The path was right, so training on all its words would make this one likelier too.',
      ],
      at: 'node=9&token=21',
      predict: {
        kind: 'choice',
        ask: 'What would the policy learn from training on the words of results?',
        options: ['To search better', 'To write results itself, without searching', 'Nothing'],
        right: 1,
        because:
          'It would raise the probability of writing a result, and of this name in it. The cheapest way to such a row is to make the result up. So its words have no loss and no push.',
      },
      reveal: { at: 'node=9&token=16', look: ['token'] },
      look: ['tokens'],
      notes: [
        'Usual wrong answer: to search better. Ask which words become likelier, those of the search or those of the result.',
      ],
    },
    {
      title: 'Read, and still learnt from',
      text: [
        'Masked is not unseen. The answer “Hana” comes after the second result, which says it; its probability is {probability of token 38} because the policy has read that.',
      ],
      at: 'node=9&token=16',
      predict: {
        kind: 'sign',
        ask: 'The slope ∂L/∂logπ at “Hana”: above zero makes the word less likely, below zero likelier. What sign has it?',
        of: 'push of token 38',
        because:
          '{push of token 38}: likelier, after these very results. That is what should be learnt: to use what the tool found.',
      },
      reveal: { at: 'node=14&token=38' },
      look: ['token', 'tokens'],
      notes: ['Usual wrong answer: none, since the result is masked. Masked is not unseen.'],
    },
    {
      title: 'Weights count sampled words',
      text: [
        'Each row has the same say, shared by its trained words: w = 1/({rows of the mini-batch} · {sampled tokens to n14}) = {weight of token 38}, with the rows of the [[mini-batch|mini_batch]] and the words with mask 1.',
        'Counted with the results, a path with a talkative tool would weigh each of its own words less.',
      ],
      at: 'node=14&token=38',
      task: {
        kind: 'choose',
        ask: 'Colour the words by weight. Hatched ones have none.',
        done: 'tokens=weight',
      },
      look: ['tokenColours', 'tokens'],
      notes: [
        'For those who write trainers: dividing by the wrong length is a common fault, and nothing on the curves shows it.',
      ],
    },
    {
      title: 'Who wrote it, not how it looks',
      text: [
        'Another question of this update. Turn n6 breaks the form: in the middle of its own words it writes the tag that closes a result. Nobody but the policy wrote that.',
      ],
      at: 'prompt=10&leaf=6&view=tree&colour=reward',
      predict: {
        kind: 'sign',
        ask: 'These words have mask 1, {tokens of n6} of them. What sign has their [[advantage]]?',
        of: 'advantage of n6',
        because:
          'The path earned {reward of n6} for its [[broken form|malformed]], so they get {advantage of n6}. The mask goes by who sampled a word. A policy that plays the tool is trained out of it.',
      },
      reveal: { at: 'prompt=10&leaf=6&node=6&view=loss&token=24', look: ['tokens', 'lane'] },
      look: ['n6', 'tree'],
      notes: ['Usual wrong answer: zero, as of all tool text. Ask who sampled these words.'],
    },
    {
      title: 'Find them yourself',
      text: ['Back to the first question. Its row holds two results.'],
      at: 'node=14&token=38',
      task: {
        kind: 'choose',
        ask: 'Select the word “Hana” of the second result, the hatched one, and read why it has no loss.',
        done: 'leaf=14&token=34',
      },
      look: ['tokens', 'token'],
      notes: ['Let somebody from the room steer.'],
    },
  ],
};
export default LESSON;
