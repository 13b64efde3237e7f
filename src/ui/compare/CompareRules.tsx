/** Two credit rules on one tree: the tree under each, the leaf's tokens by their difference, every rule as a matrix. */
import { useMemo, useState } from 'react';
import { advantageRanges } from '../../store/credit/advantage_range.ts';
import {
  agreementOf,
  firstDisagreement,
  tokenPairs,
  otherRule,
  ruleLines,
  underRule,
  type RuleLine,
  type TokenPair,
} from '../../store/credit/compare.ts';
import type { Recredit } from '../../store/credit/credit.ts';
import { advantageStep, creditSteps } from '../../store/credit/credit_steps.ts';
import { bestLeaf, pathTokens, rolloutTree } from '../../store/record/reading.ts';
import type { TreeState } from '../../store/record/run_state.ts';
import type { AdvantageRule, CreditConfig, NodeId, RecordedTree } from '../../units.ts';
import { ADVANTAGE_RULES, VALUE_RULES } from '../credit/sentences.ts';
import { advantageExtent, drawAdvantage } from '../drawing/encodings.ts';
import { saveFile } from '../drawing/save_file.ts';
import { TreeDrawing } from '../drawing/TreeDrawing.tsx';
import {
  useContextLength,
  useLab,
  useSelection,
  useUpdate,
  useUpdateNumber,
  useVocabulary,
} from '../parts/binding.ts';
import { formatCredit, formatSigned } from '../parts/format.ts';
import { Hidable, Waiting } from '../parts/parts.tsx';
import { NamedCredit, RuleSelect } from '../parts/RulePicker.tsx';
import { creditShade } from '../parts/scales.ts';
import { Transcript, type TokenDecoration } from '../parts/Transcript.tsx';
import { GradientCosines } from './GradientCosines.tsx';
import { Disagreement, RuleMatrix } from './RuleMatrix.tsx';

// The two rules of a comparison, chosen side by side.

interface RulePairProps {
  readonly own: CreditConfig; // the run's
  readonly a: CreditConfig;
  readonly b: CreditConfig;
}

export function RulePair({ own, a, b }: RulePairProps) {
  const { selection } = useLab();
  return (
    <div className="bar rule-pair">
      <fieldset>
        <legend>Rule A{a.advantageRule === own.advantageRule ? ' (the run’s)' : ''}</legend>
        <NamedCredit
          config={a}
          onChoose={({ advantageRule, valueRule }) => selection.select({ advantageRule, valueRule })}
        />
        <RuleSelect
          label="advantage"
          rules={ADVANTAGE_RULES}
          value={a.advantageRule}
          own={own.advantageRule}
          onChange={(advantageRule) => selection.select({ advantageRule })}
        />
        <RuleSelect
          label="value"
          rules={VALUE_RULES}
          value={a.valueRule}
          own={own.valueRule}
          onChange={(valueRule) => selection.select({ valueRule })}
        />
      </fieldset>
      <fieldset>
        <legend>Rule B</legend>
        <NamedCredit
          config={b}
          onChoose={({ advantageRule, valueRule }) =>
            selection.select({ againstAdvantage: advantageRule, againstValue: valueRule })
          }
        />
        <RuleSelect
          label="advantage"
          rules={ADVANTAGE_RULES}
          value={b.advantageRule}
          own={null}
          onChange={(againstAdvantage) => selection.select({ againstAdvantage })}
        />
        <RuleSelect
          label="value"
          rules={VALUE_RULES}
          value={b.valueRule}
          own={null}
          onChange={(againstValue) => selection.select({ againstValue })}
        />
      </fieldset>
    </div>
  );
}

interface SideProps {
  readonly letter: 'A' | 'B';
  readonly state: TreeState;
  readonly tree: RecordedTree;
  readonly credit: Recredit;
}

/** A rule of whole rows has no number of a turn that rows share: that turn shows from where to where theirs go. */
function Side({ letter, state, tree, credit }: SideProps) {
  const ranges = useMemo(() => advantageRanges(tree, credit), [tree, credit]);
  const extent = advantageExtent(ranges);
  const differs = ranges.some((range) => range && range[0] !== range[1]);
  return (
    <figure className="compare-side">
      <figcaption className="small">
        <b>{letter}</b> {ADVANTAGE_RULES[credit.config.advantageRule].title}
        {' · '}
        <span className="soft">
          advantage of each turn{differs && ', from least to greatest where its rows or tokens differ'}; a
          scale of its own, full at ±{extent.toFixed(2)}
        </span>
      </figcaption>
      <TreeDrawing
        title={`Advantages under rule ${letter}`}
        caption={`advantages by ${ADVANTAGE_RULES[credit.config.advantageRule].title}`}
        tree={state}
        nodes={state.nodes}
        draw={(node) => drawAdvantage(node, ranges[node.id], extent)}
      />
    </figure>
  );
}

interface StripProps {
  readonly state: TreeState;
  readonly leaf: NodeId;
  readonly pairs: readonly TokenPair[];
}

/** The row's words, shaded by B − A. */
function DifferenceStrip({ state, leaf, pairs }: StripProps) {
  const vocabulary = useVocabulary();
  const { selection } = useLab();
  const selected = useSelection(({ token }) => token);
  const byPosition = useMemo(() => new Map(pairs.map((pair) => [pair.position, pair])), [pairs]);
  const extent = Math.max(...pairs.map(({ a, b }) => Math.abs(b - a)), 0) || 1;
  const decorate = (position: number, text: string): TokenDecoration => {
    const pair = byPosition.get(position);
    if (!pair) return { title: `${text}: not trained on` };
    const { a, b } = pair;
    const title = `${text}: A ${formatCredit(a)}, B ${formatCredit(b)}, B − A ${formatSigned(b - a)}`;
    const sign = b - a > 0 ? 'plus' : b - a < 0 ? 'minus' : undefined;
    return { background: creditShade(b - a, extent), title, ...(sign ? { sign } : {}) };
  };
  return (
    <section aria-label="Tokens by the difference of the rules">
      <p className="small soft">
        Tokens of the row by B − A: orange with a line above where B credits more, purple with dots below
        where less; full at ±{extent.toFixed(2)}.
      </p>
      <Transcript
        tokens={pathTokens(state, leaf, vocabulary)}
        showPrompt={false}
        selected={selected}
        onSelect={(token) => selection.select({ token })}
        decorate={({ position, text }) => decorate(position, text)}
      />
    </section>
  );
}

interface SaveTablesProps {
  readonly state: TreeState;
  readonly rules: { readonly a: AdvantageRule; readonly b: AdvantageRule };
  readonly leaf: NodeId;
  readonly lines: readonly RuleLine[];
  readonly rows: readonly { readonly leaf: NodeId; readonly pairs: readonly TokenPair[] }[];
}

/** The tables of this view as files, headed by the run that they are of. */
function SaveTables({ state, rules, leaf, lines, rows }: SaveTablesProps) {
  const { run } = useLab();
  const update = useUpdateNumber();
  const [said, setSaid] = useState('');
  const save = async (what: 'rules' | 'credit'): Promise<void> => {
    const shown = run.getState();
    const of = { update, state };
    try {
      const [{ creditCsv, rulesCsv }, { fileStem }] = await Promise.all([
        import('../../store/export/compare_csv.ts'),
        import('../../store/export/run_export.ts'),
      ]);
      const name = `${fileStem(shown)}-update${update}-prompt${state.prompt.index}-${what}.csv`;
      const text = what === 'rules' ? rulesCsv(shown, of, leaf, lines) : creditCsv(shown, of, rules, rows);
      saveFile(name, text, 'text/csv');
      setSaid(`Saved ${name}.`);
    } catch (error) {
      setSaid(`The table was not written: ${error instanceof Error ? error.message : String(error)}. Reload the page and try again.`); // prettier-ignore
    }
  };
  return (
    <div className="bar">
      <button
        type="button"
        className="small"
        title="The table above: every rule on the turns of this leaf"
        onClick={() => void save('rules')}
      >
        Every rule (CSV)
      </button>
      <button
        type="button"
        className="small"
        title="Advantages under A and B, a line for each trained-on token of the tree’s rows"
        onClick={() => void save('credit')}
      >
        A beside B (CSV)
      </button>
      <span className="small soft" role="status">
        {said}
      </span>
    </div>
  );
}

interface BodyProps {
  readonly state: TreeState;
  readonly tree: RecordedTree;
  readonly own: CreditConfig;
  readonly a: Recredit;
  readonly b: Recredit;
  readonly lines: (leaf: NodeId) => readonly RuleLine[];
}

function Body({ state, tree, own, a, b, lines }: BodyProps) {
  const contextLength = useContextLength();
  const chosen = useSelection(({ leaf }) => leaf);
  const rows = useMemo(
    () => tree.leaves.map((id) => ({ leaf: id, pairs: tokenPairs(tree, a, b, id, contextLength) })),
    [tree, a, b, contextLength],
  );
  const parted = rows.find((row) => firstDisagreement(row.pairs) !== null);
  const unasked = parted?.leaf ?? bestLeaf(state) ?? tree.leaves[0]; // a disagreement is what one comes for
  const leaf = chosen !== null && tree.leaves.includes(chosen) ? chosen : unasked;
  const pairs = rows.find((row) => row.leaf === leaf)?.pairs ?? [];
  const matrix = useMemo(() => lines(leaf), [lines, leaf]);
  const tokens = pathTokens(state, leaf, []);
  return (
    <>
      <Hidable name="rules">
        <RulePair own={own} a={a.config} b={b.config} />
      </Hidable>
      <div className="compare-sides">
        <Side letter="A" state={state} tree={tree} credit={a} />
        <Side letter="B" state={state} tree={tree} credit={b} />
      </div>
      <Disagreement
        leaf={leaf}
        first={firstDisagreement(pairs)}
        agreement={agreementOf(rows.flatMap((row) => row.pairs))}
        rows={rows.map((row) => ({ leaf: row.leaf, first: firstDisagreement(row.pairs) }))}
        wordAt={({ position }) => Number(tokens[position]?.text.replace('#', ''))}
        stepOf={({ node }) =>
          advantageStep(creditSteps(tree, a.rewardSteps, a, a.config.advantageRule), node, leaf)
        }
      />
      <DifferenceStrip state={state} leaf={leaf} pairs={pairs} />
      <RuleMatrix lines={matrix} a={a.config.advantageRule} b={b.config.advantageRule} />
      <SaveTables
        state={state}
        rules={{ a: a.config.advantageRule, b: b.config.advantageRule }}
        leaf={leaf}
        lines={matrix}
        rows={rows}
      />
      <GradientCosines state={state} own={own} a={a.config} b={b.config} />
    </>
  );
}

export function CompareRules({ state, own }: { readonly state: TreeState; readonly own: CreditConfig }) {
  const update = useUpdate();
  const contextLength = useContextLength();
  const valueRule = useSelection((selection) => selection.valueRule);
  const advantageRule = useSelection((selection) => selection.advantageRule);
  const leafNormalisation = useSelection((selection) => selection.leafNormalisation);
  const againstValue = useSelection((selection) => selection.againstValue);
  const againstAdvantage = useSelection((selection) => selection.againstAdvantage);
  const tree = useMemo(() => rolloutTree(state), [state]);
  const first = useMemo(
    () => update && underRule(update, state, own, { valueRule, advantageRule, leafNormalisation }),
    [update, state, own, valueRule, advantageRule, leafNormalisation],
  );
  const second = useMemo(() => {
    if (!update || !first) return null;
    const { config } = first;
    return underRule(update, state, own, {
      valueRule: againstValue ?? config.valueRule,
      advantageRule: againstAdvantage ?? otherRule(config.advantageRule),
      leafNormalisation,
    });
  }, [update, state, own, first, againstValue, againstAdvantage, leafNormalisation]);
  const lines = useMemo(
    () => (leaf: NodeId) => (update ? ruleLines(update, state, own, leaf, contextLength) : []),
    [update, state, own, contextLength],
  );
  if (!tree || !first || !second)
    return <Waiting>Rules can be compared when the tree is grown and its leaves are scored.</Waiting>;
  return <Body state={state} tree={tree} own={own} a={first} b={second} lines={lines} />;
}
