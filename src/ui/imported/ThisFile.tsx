/** What an imported record says of its files: what was found and how, what each view can show of it, what looks wrong. */
import type { ReactNode } from 'react';
import {
  adviceFor,
  viewsOf,
  type ImportLint,
  type ImportSummary,
  type RecordPlace,
} from '../../store/record/import_advice.ts';
import { selectedTree } from '../../store/record/reading.ts';
import { useLab, useRun, useSelection } from '../parts/binding.ts';
import { capital, countWords, formatCount, formatNumber } from '../parts/format.ts';
import { Fact, Missing } from '../parts/parts.tsx';
import { ReadOtherwise, recognisedWords, restWords } from './ImportNotice.tsx';
import { StepCurves } from './StepCurves.tsx';
import './imported.css';

const UNKNOWN = 'unknown';

const TIERS: Readonly<Record<ImportSummary['tier'], string>> = {
  A: 'text, and rewards if there are any',
  B: 'token ids, mask and the sampler’s log-probabilities of every turn',
  C: 'numbers of the trainer too',
};

function Tier({ summary }: { readonly summary: ImportSummary }) {
  const { tier, tierWords, tiers } = summary;
  return (
    <p>
      <strong>Tier {tier}</strong>: {tierWords}.{' '}
      <span className="soft">
        A tier is what all rollouts have (
        {(['A', 'B', 'C'] as const).map((each) => `${each}: ${TIERS[each]}`).join('; ')}). Here{' '}
        {(['A', 'B', 'C'] as const).map((each) => `${formatCount(tiers[each])} reach ${each}`).join(', ')}.
      </span>
    </p>
  );
}

function Counts({ summary }: { readonly summary: ImportSummary }) {
  const { rollouts, held, rows, branches, turns, observations, calls, tokens, groups, groupedBy } = summary;
  const { steps, byStep, rewards, failed, merges, mergedTurns, deepestMerge } = summary;
  const isStepKnown = byStep.some(({ step }) => step !== null);
  return (
    <dl className="facts">
      <Fact name="rollouts">
        {formatCount(rollouts)}
        {held < rollouts && restWords(summary)}
        {failed.length > 0 && `; ${formatCount(failed.length)} failed`}
      </Fact>
      <Fact name="steps">{isStepKnown ? formatCount(steps) : UNKNOWN}</Fact>
      <Fact name="groups">
        {formatCount(groups)}, {groupedBy}
      </Fact>
      <Fact name="rows of a batch">{formatCount(rows)}</Fact>
      <Fact name="branches">{formatCount(branches)}</Fact>
      <Fact name="turns">{formatCount(turns)}</Fact>
      <Fact name="observations">{formatCount(observations)}</Fact>
      <Fact name="tool calls">{formatCount(calls)}</Fact>
      <Fact name="tokens of turns">{tokens === null ? UNKNOWN : formatCount(tokens)}</Fact>
      <Fact name="rewards">
        {rewards.known === 0
          ? UNKNOWN
          : `${formatNumber(rewards.mean)} on average, ${formatNumber(rewards.least)} to ${formatNumber(rewards.most)}`}
        {rewards.known > 0 &&
          rewards.known < rollouts &&
          `; ${formatCount(rollouts - rewards.known)} unknown`}
      </Fact>
      <Fact name="trees">
        {merges === 0
          ? 'no rollouts share a turn'
          : `recovered from common prefixes: ${countWords(merges, 'merge')}, ${countWords(mergedTurns, 'shared turn')}`}
        {deepestMerge && `; the deepest the same for ${countWords(deepestMerge.turns, 'turn')}`}
      </Fact>
    </dl>
  );
}

function Views() {
  const { selection } = useLab();
  const update = useSelection((state) => state.update);
  const prompt = useSelection((state) => state.prompt);
  const run = useRun((state) => state);
  const views = viewsOf({ run, tree: selectedTree(run, { update, prompt }) });
  return (
    <table className="import-views">
      <caption className="heading">What each view shows of it</caption>
      <tbody>
        {views.map(({ view, shows, missing }) => (
          <tr key={view}>
            <th scope="row">
              <button type="button" className="link" onClick={() => selection.select({ view })}>
                {capital(view)}
              </button>
            </th>
            <td>
              {capital(shows)}.{missing.length > 0 && <span className="soft"> {missing.join(' ')}</span>}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Row({ at, children }: { readonly at: RecordPlace | null; readonly children: ReactNode }) {
  const { selection } = useLab();
  if (!at) return <span>{children}</span>;
  return (
    <button
      type="button"
      className="link small"
      onClick={() => selection.select({ ...at, node: at.leaf, view: 'tree' })}
    >
      {children}
    </button>
  );
}

function Lint({ lint: { kind, text, count, places } }: { readonly lint: ImportLint }) {
  return (
    <li data-lint={kind}>
      <b>{kind.replaceAll('-', ' ')}</b>, {countWords(count, 'time')}: {text}.{' '}
      <span className="small">
        {places.map(({ path, line, at }) => (
          <Row key={`${path}:${line}`} at={at}>
            {path}, row {line}{' '}
          </Row>
        ))}
        {count > places.length && `and ${formatCount(count - places.length)} more`}
      </span>
    </li>
  );
}

function Refused({ summary: { refused, refusedCount } }: { readonly summary: ImportSummary }) {
  if (refusedCount === 0) return null;
  return (
    <details>
      <summary>{countWords(refusedCount, 'row')} could not be read; the others were</summary>
      <ul className="small">
        {refused.map(({ path, line, report: { what, got, wanted, next } }) => (
          <li key={`${path}:${line}`}>
            <b>
              {path}
              {line > 0 && `, row ${line}`}
            </b>
            : {what}: got {got}, wanted {wanted}. {next}
          </li>
        ))}
        {refusedCount > refused.length && <li>and {formatCount(refusedCount - refused.length)} more</li>}
      </ul>
    </details>
  );
}

function Skipped({ summary: { skipped } }: { readonly summary: ImportSummary }) {
  if (skipped.length === 0) return null;
  return (
    <details>
      <summary>{countWords(skipped.length, 'file')} left out</summary>
      <ul className="small">
        {skipped.map(({ path, why }) => (
          <li key={path}>
            {path}: {why}
          </li>
        ))}
      </ul>
    </details>
  );
}

function Account({ summary }: { readonly summary: ImportSummary }) {
  const advice = adviceFor(summary);
  return (
    <>
      <p>Read as {recognisedWords(summary)}.</p>
      <Tier summary={summary} />
      <Counts summary={summary} />
      <StepCurves steps={summary.byStep} />
      {summary.lints.length > 0 && (
        <section aria-label="What looks wrong">
          <h3>What looks wrong</h3>
          <ul>
            {summary.lints.map((lint) => (
              <Lint key={lint.kind} lint={lint} />
            ))}
          </ul>
        </section>
      )}
      <Refused summary={summary} />
      <Skipped summary={summary} />
      <Views />
      {advice.length > 0 && (
        <section aria-label="What to switch on for more">
          <h3>What to switch on for more</h3>
          <ul>
            {advice.map(({ set, gives }) => (
              <li key={set}>
                <code>{set}</code>: {gives}.
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

export default function ThisFile() {
  const origin = useRun(({ header }) => (header?.origin.kind === 'imported' ? header.origin : null));
  if (!origin) return null;
  return (
    <section className="this-file" aria-label="This file">
      <div className="section-head">
        <h2>This file · {origin.file}</h2>
        <ReadOtherwise />
      </div>
      {origin.summary ? <Account summary={origin.summary} /> : <Missing view="train" />}
    </section>
  );
}
