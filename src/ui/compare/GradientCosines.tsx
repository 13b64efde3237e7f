/** Angles between the gradients of the rules on this update's rollouts, computed by the engine. */
import { recipeOf } from '../../store/record/reading.ts';
import { useMemo } from 'react';
import { gradientQuestion } from '../../store/ask/inspection.ts';
import type { TreeState } from '../../store/record/run_state.ts';
import { same } from '../../store/lab/open_run.ts';
import type { CreditConfig } from '../../units.ts';
import { useInspection, useLab, useRun, useTransport, useUpdate } from '../parts/binding.ts';
import { ADVANTAGE_RULES } from '../credit/sentences.ts';
import { countWords, formatNumber, formatSetting } from '../parts/format.ts';
import { Weights } from '../parts/Replay.tsx';
import { creditShade } from '../parts/scales.ts';
import { Label } from '../parts/Term.tsx';
import { gradientRules } from '../../store/credit/compare.ts';

const DIGITS = 3;

interface GradientCosinesProps {
  readonly state: TreeState;
  readonly own: CreditConfig;
  readonly a: CreditConfig;
  readonly b: CreditConfig;
}

/** The letters of the rules on screen; a rule that was asked about and is no longer chosen has its number. */
const nameOf = (rule: CreditConfig, place: number, letters: readonly CreditConfig[]): string =>
  place < letters.length && same(rule, letters[place]) ? 'AB'[place] : String(place + 1);

function Table({ a, b }: Pick<GradientCosinesProps, 'a' | 'b'>) {
  const answer = useInspection((state) => state.gradients);
  if (!answer) return null;
  const { rules, norms, cosines, update, parameters, scoredTokens, ms } = answer;
  const titles = rules.map(({ advantageRule }) => ADVANTAGE_RULES[advantageRule].title);
  const names = rules.map((rule, place) => nameOf(rule, place, [a, b]));
  return (
    <>
      <p className="small soft">
        Update {update}, {countWords(scoredTokens, 'row token')} at ratio 1, at{' '}
        {parameters === 'replayed'
          ? `the weights after update ${update - 1}`
          : `the run’s ${parameters === 'current' ? 'present' : 'starting'} parameters`}
        ; {Math.round(ms)} ms. A cosine of 1 is the same direction, 0 unrelated, −1 opposite.
      </p>
      <div className="scroll" tabIndex={0} role="region" aria-label="Cosines between gradients">
        <table className="cosines">
          <thead>
            <tr>
              <th scope="col">rule</th>
              <th scope="col">
                <Label>norm</Label>
              </th>
              {titles.map((title, column) => (
                <th key={column} scope="col" title={title}>
                  {names[column]}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {titles.map((title, row) => (
              <tr key={row}>
                <th scope="row">
                  {names[row]} {title}
                </th>
                <td className="number">{formatSetting(norms[row], DIGITS)}</td>
                {cosines[row].map((cosine, column) => (
                  <td
                    key={column}
                    className="number"
                    style={{ backgroundColor: creditShade(row === column ? 0 : cosine, 1) }}
                  >
                    {norms[row] === 0 || norms[column] === 0 ? '–' : formatNumber(cosine, DIGITS)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

export function GradientCosines({ state, own, a, b }: GradientCosinesProps) {
  const { inspection } = useLab();
  const update = useUpdate();
  const config = useRun(recipeOf);
  const engine = useTransport(({ engine: { kind } }) => kind);
  const asking = useInspection((state) => state.asking);
  const question = useMemo(
    () => update && config && gradientQuestion(config, update, gradientRules(state, own, a, b)),
    [update, config, state, own, a, b],
  );
  return (
    <section className="gradient-cosines" aria-label="Gradients of the rules">
      <h2>Do the rules pull the same way?</h2>
      <p>
        <button
          type="button"
          disabled={engine !== 'ready' || asking !== null || !question}
          onClick={() => question && inspection.compareGradients(question)}
        >
          {asking === 'compare-gradients' ? 'Computing …' : 'Compute the gradients on the GPU'}
        </button>{' '}
        <span className="small soft">
          {engine === 'unavailable'
            ? 'Gradients need WebGPU.'
            : question
              ? `One backward pass for each of ${countWords(question.rules.length, 'rule')}, of the run’s own loss.`
              : 'All trees of the update must be grown and scored.'}
        </span>
      </p>
      {question && <Weights update={question.update} />}
      <Table a={a} b={b} />
    </section>
  );
}
