/**
 * verl's JSONL dumps of rollouts, of training and of validation: `{global_step}.jsonl`, text alone. ARPO, AEPO and ATPO write
 * the same rows with their tags. Source: verl v0.4.0–v0.9.0, trainer/ppo/ray_trainer.py (`_dump_generations`) and
 * trainer/ppo/v1/trainer_base.py. ARPO's evaluation lists: RUC-NLPIR/ARPO, `{dataset}_output_{k}.json`.
 */
import * as v from 'valibot';
import { check, perRow, stepOfPath, type Context, type Format, type RowReader } from '../format.ts';
import { anything, isRecord, maybe, name } from '../messages.ts';
import { rewardOf, rollout, type Place, type Rollout, type Row } from '../rollout.ts';
import { splitPrompt, splitResponse } from '../text.ts';

const row = v.looseObject({
  ...{ input: v.string(), output: v.string(), score: anything, step: maybe(v.number()) },
  ...{ gts: anything, uid: maybe(v.string()), request_id: maybe(name), data_source: maybe(v.string()) },
});
type DumpRow = v.InferOutput<typeof row>;

/** `{uuid of the prompt}_{session}_{output}`, as the trainer that is new in 0.9 writes it; null for any other uid. */
function partsOf(uid: unknown): { readonly prompt: string; readonly session: string } | null {
  const [, session, prompt] = /^((.+)_\d+)_\d+$/.exec(typeof uid === 'string' ? uid : '') ?? [];
  return session === undefined ? null : { prompt, session };
}

const rowOf = ({ input, output }: DumpRow, { delimiters }: Context): Row => ({
  spans: [...splitPrompt(input), ...splitResponse(output, delimiters)],
});

const answerOf = (gts: unknown): string | null =>
  gts === undefined || gts === null ? null : typeof gts === 'string' ? gts : JSON.stringify(gts);

/** Rows of one session are one rollout, whose score is its last row's. */
function rolloutOf(rows: readonly DumpRow[], place: Place, context: Context): Rollout {
  const last = rows[rows.length - 1];
  const { reward, notes } = rewardOf(last.score);
  const { prompt = last.uid, session = '' } = partsOf(last.uid) ?? {};
  const read = rows.map((each) => rowOf(each, context));
  return rollout(place, read, {
    id: session || String(last.request_id ?? ''),
    ...(prompt && { group: { key: prompt, by: 'uid' } }),
    step: last.step ?? stepOfPath(place.path),
    ...{ dataset: last.data_source ?? '', reward, notes, answer: answerOf(last.gts) },
  });
}

/** Rows of a session stand one after another: the writer sorts by uid. */
function openDump(context: Context): RowReader {
  const single = perRow(row, (each, place) => [rolloutOf([each], place, context)])(context);
  let held: { readonly session: string; readonly place: Place; readonly rows: DumpRow[]; readonly lines: number[] } | null = null; // prettier-ignore
  const flush = (): readonly Rollout[] => {
    const done = held ? [{ ...rolloutOf(held.rows, held.place, context), lines: held.lines }] : [];
    held = null;
    return done;
  };
  return {
    add(value, place) {
      const { session } = partsOf(isRecord(value) ? value.uid : null) ?? {};
      if (session === undefined || context.reward !== null || context.group !== null)
        return [...flush(), ...single.add(value, place)];
      const checked = check(row, value, place);
      const done = held && held.session !== session ? flush() : [];
      held ??= { session, place, rows: [], lines: [] };
      held.rows.push(checked);
      held.lines.push(place.line);
      return done;
    },
    end: flush,
  };
}

export const verl: Format = {
  name: 'verl',
  title: 'verl rollout dump (also ARPO, AEPO, ATPO)',
  recognise(value) {
    if (!isRecord(value) || typeof value.input !== 'string' || typeof value.output !== 'string') return null;
    if (!['score', 'step', 'gts', 'uid'].some((key) => key in value)) return null;
    const version = typeof value.uid === 'string' ? '0.9' : 'gts' in value ? '0.6–0.8' : '0.4–0.5';
    return { version, why: `input, output and ${'score' in value ? 'score' : 'step'} are there${'uid' in value ? ', and uid' : 'gts' in value ? ', and gts' : ', and neither gts nor uid'}` }; // prettier-ignore
  },
  open: openDump,
};

const evaluation = v.looseObject({
  ...{ instruction: v.string(), input: v.string(), output: v.string() },
  ...{ prediction: anything, answer: anything },
});

/** ARPO's evaluation: no score; the group is the question, over the files of its repeats. */
export const arpoEvaluation: Format = {
  name: 'arpo-eval',
  title: 'ARPO evaluation output',
  recognise: (value) =>
    isRecord(value) && 'instruction' in value && 'prediction' in value && typeof value.output === 'string'
      ? { version: '', why: 'instruction, output and prediction are there' }
      : null,
  open: perRow(evaluation, ({ instruction, input, output, answer }, place, { delimiters }) => [
    rollout(place, [{ spans: [...splitPrompt([instruction, input].filter(Boolean).join('\n')), ...splitResponse(output, delimiters)] }], { answer: answerOf(answer) }), // prettier-ignore
  ]),
};

/** A printed text with roles, as Search-R1's example/case.txt. */
export const printedText: Format = {
  name: 'chatml-text',
  title: 'a printed rollout with chatml roles',
  recognise: (value) =>
    typeof value === 'string' && value.includes('<|im_start|>') ? { version: '', why: 'a text with <|im_start|>' } : null, // prettier-ignore
  open: perRow(v.string(), (text, place, { delimiters }) => {
    const first = text.search(/<\|im_start\|>assistant\n?/);
    const [prompt, response] = first < 0 ? [text, ''] : [text.slice(0, first), text.slice(first)];
    return [
      rollout(place, [{ spans: [...splitPrompt(prompt), ...splitResponse(response, delimiters)] }], {}),
    ];
  }),
};
