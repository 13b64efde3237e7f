/** The formula of the current step: in symbols, and with its live numbers, each linked to its node. */
import { useMemo } from 'react';
import { advantageRanges } from '../../store/credit/advantage_range.ts';
import { readsValues, type CreditFrame, type FormulaPart, type StepperStep } from '../../store/credit/credit_steps.ts'; // prettier-ignore
import { advantageOfToken, type Recredit } from '../../store/credit/credit.ts';
import { withReward } from '../../store/place/selection.ts';
import { pathTokens, rolloutTree, type PathToken } from '../../store/record/reading.ts';
import type { TreeState } from '../../store/record/run_state.ts';
import type { NodeId } from '../../units.ts';
import { advantageExtent, nodeName } from '../drawing/encodings.ts';
import { useLab, useSelection, useVocabulary } from '../parts/binding.ts';
import { asPrinted, formatCredit, formatCreditRange, formatNumber, formatSigned } from '../parts/format.ts';
import { RewardMark } from '../parts/parts.tsx';
import { creditFill, rewardClass } from '../parts/scales.ts';
import { Transcript, type TokenDecoration } from '../parts/Transcript.tsx';
import { Label } from '../parts/Term.tsx';
import { rewardScale } from './RewardDrag.tsx';
import { symbolsOf } from './sentences.ts';

function Part({ part, before }: { readonly part: FormulaPart; readonly before: FormulaPart | undefined }) {
  const { selection } = useLab();
  const hovered = useSelection((state) => state.hovered);
  if (part.kind === 'text') return <>{part.text}</>;
  const afterOperator = before?.kind === 'text' && /[·+−] $/.test(before.text);
  const number = formatNumber(part.value, 3);
  return (
    <button
      type="button"
      className="quiet formula-number number"
      data-lit={hovered === part.node}
      title={part.label}
      aria-label={`${number}, of ${nodeName(part.node)}`}
      onClick={() => selection.select({ node: part.node })}
      onPointerEnter={() => selection.select({ hovered: part.node })}
      onPointerLeave={() => selection.select({ hovered: null })}
      onFocus={() => selection.select({ hovered: part.node })}
      onBlur={() => selection.select({ hovered: null })}
    >
      {part.value < 0 && afterOperator ? `(${number})` : number}
    </button>
  );
}

interface FormulaProps {
  readonly state: TreeState;
  readonly shown: Recredit;
  readonly frame: CreditFrame;
}

/** The row's own words, each sampled one under what it is trained with. */
function RowTokens({ state, shown, leaf }: Omit<FormulaProps, 'frame'> & { readonly leaf: NodeId }) {
  const texts = useVocabulary();
  const tokens = useMemo(() => pathTokens(state, leaf, texts), [state, leaf, texts]);
  const extent = useMemo(() => {
    const tree = rolloutTree(state);
    return advantageExtent(tree && advantageRanges(tree, shown));
  }, [state, shown]);
  const decorate = (token: PathToken): TokenDecoration => {
    const text = token.text.trim();
    if (token.source !== 'policy') return { masked: true, title: `${text}: environment text, no advantage` };
    const advantage = advantageOfToken(state, shown, leaf, token.position);
    const seen = asPrinted(advantage);
    return {
      background: creditFill(seen, extent),
      title: `${text}: advantage ${formatSigned(advantage)}`,
      ...(seen === 0 ? {} : { sign: seen > 0 ? 'plus' : 'minus' }),
    };
  };
  return <Transcript tokens={tokens} showPrompt={false} decorate={decorate} />;
}

function TermTable({ step }: { readonly step: StepperStep }) {
  if (step.phase !== 'tokens') return null;
  return (
    <table className="row-turns">
      <thead>
        <tr>
          <th scope="col">
            <Label>turn</Label>
          </th>
          <th scope="col">
            <Label>tokens</Label>
          </th>
          <th scope="col">
            <Label>advantage on each</Label>
          </th>
        </tr>
      </thead>
      <tbody>
        {step.row.map((turn) => (
          <tr key={turn.node}>
            <td>{nodeName(turn.node)}</td>
            <td>{turn.tokenCount}</td>
            <td>{[...new Set(turn.range.map((value) => formatCredit(value, 3)))].join(' to ')}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function FormulaPanel({ state, shown, frame }: FormulaProps) {
  const step = frame.current;
  if (!step)
    return (
      <section className="panel" aria-label="Formula">
        <h2>Formula</h2>
        <p className="small soft">Press Next (or Space) to follow the reward to the tokens.</p>
      </section>
    );
  return (
    <section className="panel" aria-label="Formula">
      <h2>
        {nodeName(step.node)}: <span className="soft">{step.rule}</span>
      </h2>
      <p className="formula symbols">{symbolsOf(step)}</p>
      {step.phase === 'tokens' ? (
        <>
          <TermTable step={step} />
          <RowTokens state={state} shown={shown} leaf={step.node} />
        </>
      ) : (
        <p className="formula live">
          {step.formula.map((part, index) => (
            <Part key={index} part={part} before={step.formula[index - 1]} />
          ))}
        </p>
      )}
    </section>
  );
}

// Every leaf: reward (editable as a what-if), normalised value, what it ends as.

interface LeafRowProps extends FormulaProps {
  readonly leaf: NodeId;
}

/** What the stepper has not reached. */
function Ahead() {
  return (
    <span className="soft">
      <span aria-hidden="true">?</span>
      <span className="visually-hidden">not known yet</span>
    </span>
  );
}

/** With the digits that it has, two at most: rewards of ours are whole, a slider's are tenths, a file's are any. */
const rewardText = (reward: number | null): string =>
  formatNumber(reward, [0, 1].find((digits) => reward === Number(reward?.toFixed(digits))) ?? 2);

function LeafRow({ state, shown, frame, leaf }: LeafRowProps) {
  const { selection } = useLab();
  const selected = useSelection((current) => current.leaf === leaf);
  const isKnown = frame.rewards[leaf] !== null;
  const reward = shown.rewards[leaf];
  const paid = state.rewards?.[leaf] ?? null;
  const changed = reward !== paid;
  const { least, most, unit } = rewardScale(state.rewards ?? []);
  const [normalised, range] = [frame.normalised[leaf], frame.advantages[leaf]];
  const set = (value: number): void => {
    const whatIf = withReward(selection.getState().whatIf, leaf, value === paid ? null : value);
    if (Number.isFinite(value)) selection.select({ whatIf });
  };
  return (
    <tr aria-selected={selected} data-changed={isKnown && changed}>
      <td>
        <button type="button" className="quiet link" onClick={() => selection.select({ leaf, node: leaf })}>
          <RewardMark kind={rewardClass(isKnown ? reward : null)} />
          {nodeName(leaf)}
        </button>
      </td>
      <td className="reward-cell">
        {isKnown ? (
          <>
            <input
              type="range"
              min={least}
              max={most}
              step={0.1 * unit}
              value={reward ?? 0}
              aria-label={`What if the reward of ${nodeName(leaf)} were`}
              aria-valuetext={rewardText(reward)}
              onChange={(event) => set(Number(event.target.value))}
            />
            <output className="number">{rewardText(reward)}</output>
            {changed && <span className="soft"> was {rewardText(paid)}</span>}
          </>
        ) : (
          <Ahead />
        )}
      </td>
      {readsValues(shown.config.advantageRule) && (
        <td>{normalised === null ? <Ahead /> : formatCredit(normalised)}</td>
      )}
      <td>{range === null ? <Ahead /> : formatCreditRange(range)}</td>
    </tr>
  );
}

/** As far as the stepper has come. */
export function LeafTable(props: FormulaProps) {
  const { state, shown } = props;
  return (
    <section className="panel" aria-label="Leaves">
      <h2>
        <Label>Leaves: what if a reward were different?</Label>
      </h2>
      <table className="leaves">
        <thead>
          <tr>
            <th scope="col">
              <Label>leaf</Label>
            </th>
            <th scope="col">
              <Label>reward</Label>
            </th>
            {readsValues(shown.config.advantageRule) && (
              <th scope="col">
                <Label>normalised</Label>
              </th>
            )}
            <th scope="col">
              <Label>advantage</Label>
            </th>
          </tr>
        </thead>
        <tbody>
          {state.leaves.map((leaf) => (
            <LeafRow key={leaf} {...props} leaf={leaf} />
          ))}
        </tbody>
      </table>
    </section>
  );
}
