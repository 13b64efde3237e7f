/**
 * TRL's completions (`log_completions=True`): completions/completions_{step:05d}.parquet, text alone, and the only text format
 * that carries the advantage. Source: trl/trainer/grpo_trainer.py, 1.9.0 (columns step, prompt, completion, one a reward
 * function, advantage). Older releases log the same columns as a table of JSON lines.
 */
import * as v from 'valibot';
import { perRow, stepOfPath, type Format } from '../format.ts';
import { anything, textOr, anyNumber, given, isRecord, maybe, messages, spansOf } from '../messages.ts';
import { note, rewardOf, rollout, type Span } from '../rollout.ts';
import { splitPrompt, splitResponse } from '../text.ts';

const text = textOr(messages);
const row = v.looseObject({
  prompt: text,
  completion: text,
  step: anything,
  advantage: maybe(anyNumber),
});

const NOT_REWARDS = ['step', 'advantage', 'prompt', 'completion'];

/** Reward functions are the columns of numbers; with several, their weights are not in the file. */
function total(read: Readonly<Record<string, unknown>>): ReturnType<typeof rewardOf> {
  const columns = Object.entries(read).filter(([key, value]) => !NOT_REWARDS.includes(key) && typeof value === 'number'); // prettier-ignore
  if (columns.length <= 1) return rewardOf(columns[0]?.[1]);
  const finite = columns.filter(([, value]) => Number.isFinite(value)); // a function that does not apply says NaN
  if (finite.length === 0) return rewardOf(Number.NaN);
  const names = columns.map(([key]) => key).join(' + ');
  return {
    reward: finite.reduce((sum, [, value]) => sum + (value as number), 0),
    notes: [note('reward-summed', `the reward is ${names}, each with weight 1: the file names no weights`)],
  };
}

export const trl: Format = {
  name: 'trl',
  title: 'TRL completions',
  recognise: (value) =>
    isRecord(value) &&
    'prompt' in value &&
    'completion' in value &&
    'advantage' in value &&
    !('example_id' in value)
      ? { version: '', why: 'prompt, completion and advantage are there' }
      : null,
  open: perRow(row, (read, place, { delimiters }) => {
    const { prompt, completion, advantage = null } = read;
    const asked = typeof prompt === 'string' ? splitPrompt(prompt) : given(spansOf(prompt));
    const said: readonly Span[] = typeof completion === 'string' ? splitResponse(completion, delimiters) : spansOf(completion); // prettier-ignore
    const step = Number(read.step ?? Number.NaN);
    const { reward, notes } = total(read);
    return [
      rollout(place, [{ spans: [...asked, ...said] }], {
        step: Number.isInteger(step) ? step : stepOfPath(place.path),
        ...{ reward, notes, advantage: advantage !== null && Number.isFinite(advantage) ? advantage : null },
      }),
    ];
  }),
};
