/** An experiment's numbers: arms, differences, early signs, and what the words mean. */
import type { ReactNode } from 'react';
import {
  armRole,
  armTitle,
  between,
  canCollapse,
  CURRENCY_NAMES,
  CURRENCY_UNITS,
  curvesOf,
  DEFINITIONS,
  fixed,
  sayP,
  saySign,
  saySigns,
  signed,
  type ArmSummary,
  type Comparison,
  type Results,
  type ShownRun,
} from '../../store/experiment/reading.ts';
import { formatCount } from '../parts/format.ts';
import { Label } from '../parts/Term.tsx';

const range = ({ low, high }: { readonly low: number; readonly high: number }): string =>
  `${fixed(low)} to ${fixed(high)}`;

interface TableProps {
  readonly label: string;
  readonly heads: readonly string[];
  readonly children: ReactNode; // rows
}

const NumberTable = ({ label, heads, children }: TableProps) => (
  <div className="experiment-scroll" role="region" aria-label={label} tabIndex={0}>
    <table>
      <thead>
        <tr>
          {heads.map((head) => (
            <th key={head} scope="col">
              <Label>{head}</Label>
            </th>
          ))}
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  </div>
);

function ArmRow({ results, summary }: { readonly results: Results; readonly summary: ArmSummary }) {
  const { arm, runs, interval, survived, used } = summary;
  return (
    <tr>
      <th scope="row">
        {armTitle(arm)}
        <span className="small soft exp-arm-difference">{armRole(results.experiment, arm)}</span>
      </th>
      <td>{runs}</td>
      <td>{fixed(summary.interquartileMean)}</td>
      <td className="exp-range">{interval ? range(interval) : '–'}</td>
      <td>{fixed(summary.mean)}</td>
      <td>
        {survived ? `${survived.count} of ${survived.total} (${range(survived.interval)})` : 'not known'}
      </td>
      <td>{fixed(summary.meanOfSurvivors)}</td>
      {CURRENCY_NAMES.map((name) => (
        <td key={name}>{used[name] === null ? '–' : formatCount(Math.round(used[name]))}</td>
      ))}
    </tr>
  );
}

const ARM_HEADS = ['arm', 'runs', 'IQM', '95 %', 'mean', 'survived (95 %)', 'mean of survivors', ...CURRENCY_NAMES.map((name) => CURRENCY_UNITS[name])]; // prettier-ignore

export const ArmTable = ({ results }: { readonly results: Results }) => (
  <NumberTable label="Arms in numbers" heads={ARM_HEADS}>
    {results.arms.map((summary) => (
      <ArmRow key={summary.arm.name} results={results} summary={summary} />
    ))}
  </NumberTable>
);

/** A column a data set, as a paper's table; nothing where there are not several. */
export function DataSetTable({ results: { experiment, dataSets } }: { readonly results: Results }) {
  if (dataSets.length === 0) return null;
  return (
    <details open>
      <summary>By data set: mean, and its 95 % interval over seeds</summary>
      <NumberTable label="Scores by data set" heads={['arm', ...dataSets.map(({ title }) => title)]}>
        {experiment.arms.map((arm, a) => (
          <tr key={arm.name}>
            <th scope="row">{armTitle(arm)}</th>
            {dataSets.map(({ title, arms }) => (
              <td key={title}>
                {fixed(arms[a].mean)}
                {arms[a].interval && (
                  <span className="small soft exp-interval">{`${fixed(arms[a].interval.low)}–${fixed(arms[a].interval.high)}`}</span>
                )}
              </td>
            ))}
          </tr>
        ))}
      </NumberTable>
    </details>
  );
}

const COMPARED_HEADS = ['arm', 'against', 'pairs', 'difference', '95 %', 'p', 'probability of improvement', 'detectable', 'p of equal', 'p of survival'] as const; // prettier-ignore

function ComparedRow({ comparison }: { readonly comparison: Comparison }) {
  const { arm, base, difference, adjusted, improvement, improvementInterval, detectable, equivalence, survival } = comparison; // prettier-ignore
  const p = (value: number | null): string => (value === null ? '–' : sayP(value).replace('p = ', '').replace('p ', '')); // prettier-ignore
  return (
    <tr>
      <th scope="row">{arm}</th>
      <td className="exp-words">{base}</td>
      <td>{difference?.pairs ?? 0}</td>
      <td>{difference ? signed(difference.mean) : '–'}</td>
      <td>{difference ? between(difference.interval) : '–'}</td>
      <td>{p(adjusted)}</td>
      <td>
        {fixed(improvement, 2)} {improvementInterval && `(${range(improvementInterval)})`}
      </td>
      <td>{fixed(detectable)}</td>
      <td>{p(equivalence)}</td>
      <td>{p(survival)}</td>
    </tr>
  );
}

export const ComparedTable = ({ results }: { readonly results: Results }) => (
  <NumberTable label="Differences in numbers" heads={COMPARED_HEADS}>
    {results.comparisons.map((comparison) => (
      <ComparedRow key={comparison.arm} comparison={comparison} />
    ))}
  </NumberTable>
);

export function Definitions() {
  return (
    <dl className="exp-definitions small">
      {DEFINITIONS.map(([term, text]) => (
        <div key={term}>
          <dt>{term}</dt>
          <dd>{text.replaceAll('**', '')}</dd>
        </div>
      ))}
    </dl>
  );
}

const SIGN_HEADS = ['warning', 'collapses told before', 'updates before, median', 'false alarms'];

export function Signs({ results, runs }: { readonly results: Results; readonly runs: readonly ShownRun[] }) {
  const curves = runs.flatMap(({ file }) => (file ? [curvesOf(file)] : []));
  return (
    <details>
      <summary>Early signs</summary>
      <p>{saySigns(results.signs, curves)}</p>
      {curves.some(canCollapse) && (
        <NumberTable label="Early signs" heads={SIGN_HEADS}>
          {results.signs.map(({ sign, collapsed, inTime, lead, survived, falseAlarms }) => (
            <tr key={saySign(sign)}>
              <th scope="row">{saySign(sign)}</th>
              <td>
                {inTime} of {collapsed}
              </td>
              <td>{lead ?? '–'}</td>
              <td>
                {falseAlarms} of {survived}
              </td>
            </tr>
          ))}
        </NumberTable>
      )}
    </details>
  );
}
