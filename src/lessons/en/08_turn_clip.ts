import type { LessonData } from '../lesson.ts';

const HERE = 'update=1&prompt=7&leaf=28';

/** Update 1, prompt 8 of the recorded run: two steps after sampling, n27 and n20 are clipped and n18 is not. */
const LESSON: LessonData = {
  title: 'Clipping a turn, not a token',
  outcome:
    'You can say of a turn whether it is clipped, and what changes when each word has a ratio of its own.',
  minutes: 7,
  steps: [
    {
      title: 'The policy has moved',
      text: [
        'An update samples once and takes several steps, one on each [[mini-batch|mini_batch]]. When this one has its turn, two steps are done, and the [[policy]] is no longer the one that sampled.',
        'The [[ratio]] of a word is its probability now over its probability then: {own ratio of token 36} for the first word of n27.',
      ],
      at: `${HERE}&view=loss&node=27&token=36`,
      look: ['tokens', 'token'],
      notes: [
        'Ask why the ratio is not 1, since nothing was sampled anew. Two steps have been taken in between.',
      ],
    },
    {
      title: 'One ratio for a turn',
      text: [
        'AT²PO takes one ratio for a whole [[turn]]: the exponential of the mean of its words’ log-ratios, a geometric mean. n27 has {tokens of n27} words, and its [[turn ratio|turn_ratio]] is {turn ratio of n27}.',
      ],
      at: `${HERE}&view=loss&node=27&token=36`,
      predict: {
        kind: 'number',
        ask: 'One word, “retry”, has changed; the others are all close to 1. What is its own ratio?',
        of: 'own ratio of token 38',
        tolerance: 0.12,
        because:
          'If all others were at 1 it would be the turn ratio to the power of {tokens of n27}. It is {own ratio of token 38}: half as likely again as when it was sampled. The mean over the turn hides most of that.',
      },
      reveal: { at: 'view=loss&node=27&token=38' },
      look: ['token', 'lane'],
      notes: [
        'Usual wrong answer: the turn’s own ratio. Ask how far one word must stray to move a mean that so many share.',
      ],
    },
    {
      title: 'Out of the band',
      text: [
        'The [[clip band|clip]] goes from {lower edge of token 38} to {upper edge of token 38}, and n27 is above it with {turn ratio of n27}. Its [[advantage]] is {row advantage of n27}: it should become likelier, and has done so already.',
      ],
      at: `${HERE}&view=tree&colour=advantage&node=27`,
      predict: {
        kind: 'choice',
        ask: 'Which words of n27 does this step still push?',
        options: ['All but “retry”', '“retry” alone', 'None of them', 'All of them'],
        right: 2,
        because:
          'The turn is clipped as one: the slope is {push of token 36} at its first word and {push of token 38} at “retry”. In this direction it has gone far enough.',
      },
      reveal: { at: 'view=loss&node=27&token=38', look: ['lane', 'token'] },
      look: ['n27', 'tree'],
      notes: ['Usual wrong answer: all but “retry”, the word that strayed. One ratio, one decision.'],
    },
    {
      title: 'Further out, and not clipped',
      text: [
        'The path to n20. Its turn n18 has the ratio {turn ratio of n18}, further above the band than n27. But its advantage is {row advantage of n18}: it should become less likely, and it has become likelier.',
      ],
      at: `${HERE}&leaf=20&view=tree&colour=advantage&node=18`,
      predict: {
        kind: 'choice',
        ask: 'Is n18 clipped?',
        options: ['Yes: its ratio is out of the band', 'No: its push goes back towards 1'],
        right: 1,
        because:
          'It keeps its gradient, {push of token 21} at its first word. The clip stops only a push that has gone too far in its own direction; a mistake may always be taken back.',
      },
      reveal: { at: 'leaf=20&view=loss&node=18&token=21', look: ['lane'] },
      look: ['n18', 'tree'],
      notes: [
        'Usual wrong answer: yes. The rule has two halves: out of the band, and in the direction of the push.',
      ],
    },
    {
      title: 'Below the band',
      text: [
        'The answer n20 should become less likely too, {row advantage of n20}, and has: its ratio {turn ratio of n20} is below the lower edge. So it is clipped, and its slope is {push of token 36}.',
        'In formulas: the loss of a word is max(−A·s, −A·clip(s)). Where the second is the greater, s no longer matters, and the slope is 0.',
      ],
      at: `${HERE}&leaf=20&view=loss&node=20&token=36`,
      look: ['lane', 'token'],
      notes: ['The mirror of n27. Let somebody say why it is clipped before you do.'],
    },
    {
      title: 'Word by word',
      text: [
        'GRPO and PPO clip each word by its own ratio. A word’s ratio strays much further than a mean does, so their bands are much wider.',
        'Of this mini-batch’s {tokens of the mini-batch} words {clipped tokens of the mini-batch} are clipped, in whole turns.',
      ],
      at: `${HERE}&view=loss&node=27&token=38`,
      predict: {
        kind: 'ranking',
        ask: 'The same words: order the three ways by how many words they clip.',
        items: [
          { label: 'turns, this band', of: 'clipped tokens of the mini-batch' },
          {
            label: 'words, this band',
            of: 'clipped tokens of the mini-batch under token ratios',
          },
          {
            label: 'words, a band ten times as wide',
            of: 'clipped tokens of the mini-batch under token ratios and band 0.2 0.3',
          },
        ],
        because:
          'Word by word only those that strayed are stopped, and the rest of a turn goes on being pushed: a tool call is then half clipped. A turn is one decision; clipped as one it moves or rests as one.',
      },
      look: ['clip'],
      notes: ['Ask first why methods that clip words have bands ten times as wide.'],
    },
    {
      title: 'How wide a band?',
      text: [
        'A narrow band stops much and keeps the policy near the one that sampled; a wide one lets single turns run away. What the lab computes here is the same step under another band, not where training would lead.',
      ],
      at: `${HERE}&view=loss&node=27&token=38`,
      task: {
        kind: 'reach',
        ask: 'Widen the band with the sliders until no word of the mini-batch is clipped.',
        of: 'clipped tokens of the mini-batch',
        value: 0,
      },
      look: ['clip'],
      notes: ['Ask where they would stop. There is no right answer on this page.'],
    },
    {
      title: 'Less and less',
      text: [
        'In this update {clipped share of update 1} of all trained words are clipped; in update 20 it is {clipped share of update 20}. The ratios of a policy that is sure of its words stay close to 1.',
      ],
      at: 'view=train&update=20',
      look: ['clipFraction'],
      notes: [
        'Ask what it would mean if nothing were ever clipped: the band is too wide, or the policy stands still.',
      ],
    },
  ],
};
export default LESSON;
