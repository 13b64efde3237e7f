/** Small files of rollouts, each with a fault that a question is about, or nearly with it. */

interface EpisodeParts {
  readonly group: string;
  readonly reward: number;
  /** Of the question's two tokens, the first turn's two, the observation's one, the answer's two. */
  readonly mask?: readonly number[];
  readonly sampler?: readonly number[]; // of the four written tokens
  readonly trainer?: readonly number[];
}

const RIGHT_MASK = [0, 0, 1, 1, 0, 1, 1];
const SAMPLED = [-1, -0.5, -2, -0.25];

/** A verifiers v1 episode as prime-rl writes it: a question, a turn, a result, an answer. */
function episode(
  { group, reward, mask = RIGHT_MASK, sampler = SAMPLED, trainer = sampler }: EpisodeParts,
  at: number,
): string {
  // prettier-ignore
  const message = (role: string, content: string) => ({ role, content });
  const bits = (from: number, to: number) => mask.slice(from, to).map(Boolean);
  const nodes = [
    { message: message('user', `Question of ${group}`), sampled: false, token_ids: [1, 2], mask: bits(0, 2) },
    { parent: 0, message: message('assistant', `look ${at}`), sampled: true, token_ids: [3, 4], mask: bits(2, 4), logprobs: sampler.slice(0, 2), trainer_logprobs: trainer.slice(0, 2) }, // prettier-ignore
    { parent: 1, message: message('tool', 'found'), sampled: false, token_ids: [5], mask: bits(4, 5) },
    { parent: 2, message: message('assistant', `answer ${at}`), sampled: true, token_ids: [6, 7], mask: bits(5, 7), logprobs: sampler.slice(2), trainer_logprobs: trainer.slice(2) }, // prettier-ignore
  ];
  const trace = { version: 1, id: `t${at}`, nodes, rewards: { match: { score: reward, weight: 1 } }, task: { key: group } }; // prettier-ignore
  return JSON.stringify({ id: `e${at}`, group: { id: group }, run: { work: { step: 1 } }, traces: [trace] });
}

export const episodes = (parts: readonly EpisodeParts[]): string => parts.map(episode).join('\n');

interface TrajectoryParts {
  readonly rewards: readonly [number, number]; // of its two turns
  readonly tool: string; // what the tool says after the first: the state of the second
  readonly rendered?: readonly number[]; // ids that the second turn's context begins with; those that were sampled if absent
}

/** Rows of verifiers' results with the state column `trajectory`, one group: two turns, each with its ids and its reward. */
export const trajectories = (parts: readonly TrajectoryParts[]): string =>
  parts
    .map(({ rewards, tool, rendered = [1, 2, 3, 4] }) => {
      const prompt = [{ role: 'user', content: 'Add.' }];
      const said = { role: 'assistant', content: '5 + 6' };
      const answer = { role: 'assistant', content: '11' };
      const result = { role: 'tool', content: tool };
      const step = (context: object[], ids: readonly number[], own: object, sampled: readonly number[], reward: number) => ({ prompt: context, completion: [own], reward, tokens: { prompt_ids: ids, completion_ids: sampled, completion_logprobs: sampled.map(() => -0.5) } }); // prettier-ignore
      const trajectory = [
        step(prompt, [1, 2], said, [3, 4], rewards[0]),
        step([...prompt, said, result], [...rendered, 8], answer, [9], rewards[1]),
      ];
      return JSON.stringify({ example_id: 1, prompt, completion: [said, result, answer], reward: rewards[0] + rewards[1], trajectory }); // prettier-ignore
    })
    .join('\n');

/** verl's dumps, a file a step, two rollouts a step. @param calls by step */
export const stepFiles = (calls: readonly number[]): readonly { path: string; text: string }[] =>
  calls.map((count, at) => {
    const call = 'Let me look.\n<tool_call>\n{"name": "search", "arguments": {"query": "Ada"}}\n</tool_call>\nuser\n<tool_response>\nLondon\n</tool_response>\nassistant\n'; // prettier-ignore
    const row = (score: number) => JSON.stringify({ input: 'user\nWhere?\nassistant\n', output: `${call.repeat(count)}London`, gts: 'London', score, step: at + 1 }); // prettier-ignore
    return { path: `${at + 1}.jsonl`, text: [row(at / 10), row(at / 10 + 0.1)].join('\n') };
  });
