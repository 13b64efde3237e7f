/** Two runs in words: settings that differ, and the first thing that came out differently. */
import type { DifferenceStage, DifferingSetting, RunDifference } from '../../store/record/run_difference.ts';
import { useLab } from '../parts/binding.ts';
import { countWords, formatNumber } from '../parts/format.ts';
import { Label } from '../parts/Term.tsx';
import { nodeName } from '../drawing/encodings.ts';
import type { ComparedRun } from './run_curves.ts';

const STAGE_WORDS: Readonly<Record<DifferenceStage, string>> = {
  prompts: 'the questions',
  rollout: 'the rollouts',
  rewards: 'the rewards',
  credit: 'the advantages',
  loss: 'the gradients of the loss',
};

const DIGITS = 4;

function Change({ change }: { readonly change: RunDifference }) {
  const { selection } = useLab();
  const { stage, update, prompt, node, token, a, b } = change;
  const say = (value: number | string | null): string => {
    if (value === null) return 'nothing';
    return typeof value === 'string' ? `“${value}”` : formatNumber(value, DIGITS);
  };
  return (
    <li>
      First, <b>{STAGE_WORDS[stage]}</b> of update {update}, prompt {prompt + 1}
      {node !== null && <>, {nodeName(node)}</>}
      {token !== null && <>, token {token + 1}</>}
      {stage !== 'prompts' && (
        <>
          : A {say(a)}, B {say(b)}
        </>
      )}
      .{' '}
      <button
        type="button"
        className="small"
        onClick={() => {
          selection.select({ update, prompt });
          if (node !== null) selection.select({ node });
        }}
      >
        Show
      </button>
    </li>
  );
}

/** Which of two runs goes on from the other, and where they part. */
function forkWords(a: ComparedRun, b: ComparedRun): string {
  const pairs = [[a, b] as const, [b, a] as const];
  return pairs
    .map(([child, parent]) => {
      const origin = child.run.header?.origin;
      if (origin?.kind !== 'forked' || origin.run !== parent.run.header?.date) return '';
      return ` ${child.letter} was forked from ${parent.letter} after update ${origin.update}: up to there it is ${parent.letter}, and they are aligned from there on.`;
    })
    .join('');
}

interface WhatChangedProps {
  readonly a: ComparedRun;
  readonly b: ComparedRun;
  readonly settings: readonly DifferingSetting[] | null; // null: unknown
  readonly changes: readonly RunDifference[];
}

export function WhatChanged({ a, b, settings, changes }: WhatChangedProps) {
  const sameSeed = settings && !settings.some(({ path }) => path === 'seed');
  const onlyAdapter = settings?.length === 1 && settings[0].path === '';
  const shared = Math.min(a.run.updates.length, b.run.updates.length);
  return (
    <section className="what-changed" aria-label="What differs">
      <h2>What differs?</h2>
      <p>
        <b>A</b> {a.title}; <b>B</b> {b.title}.{' '}
        {sameSeed === null
          ? 'One of them names no settings, so what differs in them is unknown.'
          : sameSeed
            ? 'One seed: the questions and random numbers are the same.'
            : 'The seeds differ.'}
        {forkWords(a, b)}
      </p>
      {settings === null ? null : settings.length === 0 ? (
        <p>The settings are the same, and the adapter.</p>
      ) : (
        <details open>
          <summary>
            {onlyAdapter
              ? 'The settings are the same; the graphics adapter differs, which rounds differently'
              : `${countWords(settings.length, 'setting')} ${settings.length === 1 ? 'differs' : 'differ'}`}
          </summary>
          <table>
            <thead>
              <tr>
                <th scope="col">setting</th>
                <th scope="col">A</th>
                <th scope="col">B</th>
                <th scope="col">
                  <Label>preset</Label>
                </th>
              </tr>
            </thead>
            <tbody>
              {settings.map((setting) => (
                <tr key={setting.title + setting.path}>
                  <th scope="row">
                    {setting.title} <code className="small soft">{setting.path}</code>
                  </th>
                  <td className="number">{setting.a}</td>
                  <td className="number">{setting.b}</td>
                  <td className="number soft">{setting.own || '–'}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </details>
      )}
      {changes.length === 0 ? (
        <p>Nothing came out differently in the {countWords(shared, 'update')} they share.</p>
      ) : (
        <ol aria-label="First differences by stage">
          {changes.map((change) => (
            <Change key={change.stage} change={change} />
          ))}
        </ol>
      )}
    </section>
  );
}
