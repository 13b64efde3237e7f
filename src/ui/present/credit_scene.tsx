/** What the presenter shows of Credit and of Compare: one step of credit; two rules on the turns of one path. */
import { useMemo } from 'react';
import {
  firstDisagreement,
  otherRule,
  tokenPairs,
  turnCredits,
  underRule,
} from '../../store/credit/compare.ts';
import { creditFrame, creditSteps, strideEnds, type StepperStep } from '../../store/credit/credit_steps.ts';
import { recredit } from '../../store/credit/credit.ts';
import { stepQuestion } from '../../store/credit/step_questions.ts';
import { bestLeaf, rolloutTree } from '../../store/record/reading.ts';
import type { TreeState, UpdateState } from '../../store/record/run_state.ts';
import { ROOT, type CreditConfig, type NodeId } from '../../units.ts';
import { drawingAt } from '../credit/drawings.ts';
import { usePredicting } from '../credit/PredictStep.tsx';
import {
  ADVANTAGE_RULES,
  PHASE_TITLES,
  aheadOf,
  askOf,
  strideSentence,
  symbolsOf,
} from '../credit/sentences.ts';
import { drawAdvantage, nodeName } from '../drawing/encodings.ts';
import {
  useActions,
  useContextLength,
  useCreditRules,
  useLab,
  useSelection,
  useTree,
  useUpdate,
} from '../parts/binding.ts';
import { capital, countWords, formatCount, formatCreditRange, formatNumber, formatSigned } from '../parts/format.ts'; // prettier-ignore
import { truthWords } from '../parts/PredictionCard.tsx';
import { AskClass } from './AskClass.tsx';
import { FigureTree } from './FigureTree.tsx';
import { nothingYet, Question, usePlaceWords, type SceneProps } from './scene.tsx';

interface BodyProps extends SceneProps {
  readonly state: TreeState;
  readonly update: UpdateState;
  readonly own: CreditConfig;
}

/** A scene of a tree that is there, with its update and its rules. */
function useBody(): Omit<BodyProps, 'children'> | null {
  const state = useTree();
  const update = useUpdate();
  const own = useCreditRules();
  return state && update && own && state.rewards ? { state, update, own } : null;
}

export function CreditScene({ children }: SceneProps) {
  const body = useBody();
  return body ? <CreditBody {...body}>{children}</CreditBody> : children(nothingYet('Credit'));
}

const MOST_PARTS = 24; // of a formula: a longer one is said by its result

/** What a step says: in a sentence, in symbols, in numbers. */
function StepWords({
  step,
  sentence,
  isOne,
}: {
  readonly step: StepperStep | null;
  readonly sentence: string;
  readonly isOne: boolean;
}) {
  // prettier-ignore
  const hasFormula = step !== null && step.phase !== 'tokens' && isOne && step.formula.length <= MOST_PARTS;
  return (
    <>
      <p role="status" tabIndex={0} data-point>
        {sentence}
      </p>
      {hasFormula && (
        <>
          <p className="formula symbols" tabIndex={0} data-point>
            {symbolsOf(step)}
          </p>
          <p className="slide-formula number" tabIndex={0} data-point>
            {step.formula
              .map((part) => (part.kind === 'text' ? part.text : formatNumber(part.value, 2)))
              .join('')}
          </p>
        </>
      )}
    </>
  );
}

function CreditBody({ state, update, own, children }: BodyProps) {
  const { selection } = useLab();
  const valueRule = useSelection((current) => current.valueRule);
  const advantageRule = useSelection((current) => current.advantageRule);
  const leafNormalisation = useSelection((current) => current.leafNormalisation);
  const whatIf = useSelection((current) => current.whatIf);
  const cursor = useSelection((current) => current.creditFrame);
  const stride = useSelection((current) => current.stride);
  const spokenOf = useSelection(({ lesson, node }) => (lesson === null ? null : node)); // by a lesson's text
  const place = usePlaceWords();
  const act = useActions(state);
  const { steps, ends } = useMemo(() => {
    const shown = recredit(state, own, { valueRule, advantageRule, leafNormalisation, whatIf }, update.trees);
    const tree = rolloutTree(state);
    if (!shown || !tree) return { steps: [], ends: [] };
    const found = creditSteps(tree, shown.rewardSteps, shown, shown.config.advantageRule);
    return { steps: found, ends: strideEnds(tree, found, stride) };
  }, [state, update, own, valueRule, advantageRule, leafNormalisation, whatIf, stride]);
  const frame = creditFrame(state, steps, cursor);
  const before = ends.findLast((end) => end < frame.cursor) ?? 0;
  const after = ends.find((end) => end > frame.cursor) ?? steps.length;
  const predicting = usePredicting(steps, frame, after);
  if (steps.length === 0) return children(nothingYet('Credit'));
  const asked =
    predicting &&
    stepQuestion(steps, predicting.from, predicting.to, predicting.kind, { nameOf: nodeName, format: formatSigned }); // prettier-ignore
  const isAsking = asked !== null && !predicting?.revealed;
  const done = steps.slice(
    ends.includes(frame.cursor) ? before : Math.max(0, frame.cursor - 1),
    frame.cursor,
  );
  const step = frame.current;
  const sentence = step ? strideSentence(done) : 'Nothing is known yet: the leaves wait for their rewards.';
  const about = isAsking ? [asked.step.node] : spokenOf !== null ? [spokenOf] : step ? [step.node, ...step.lit].filter((id, at, all) => all.indexOf(id) === at) : []; // prettier-ignore
  const leaf = asked && state.nodes[asked.step.node];
  const leafAct = leaf ? act(leaf) : ''; // what is rewarded
  const move = (to: number): void => selection.select({ creditFrame: to });
  const said = <StepWords step={step} sentence={sentence} isOne={done.length === 1} />;
  const isCount = asked?.step.phase === 'tokens' && asked.question.kind === 'number';
  const format = isCount ? formatCount : formatSigned;
  const phase = isAsking ? asked.step.phase : step?.phase;
  return children({
    title: 'Credit',
    place: `${place}${place === '' ? '' : ', '}step ${frame.cursor} of ${steps.length}`,
    figure: (
      <FigureTree
        title={`Credit of prompt ${state.prompt.index + 1}`}
        tree={state}
        nodes={state.nodes}
        draw={drawingAt(frame)}
        about={about}
      />
    ),
    says: (
      <>
        {phase && <h2>{capital(PHASE_TITLES[phase])}</h2>}
        {isAsking && asked.step.phase === 'reward' && (
          <>
            <Question tree={state} />
            {leafAct !== '' && <p>{`${nodeName(asked.step.node)}: ${leafAct}.`}</p>}
          </>
        )}
        {asked && predicting ? (
          <AskClass
            key={`${predicting.kind} ${predicting.from} ${predicting.to}`}
            ask={askOf(asked)}
            question={asked.question}
            format={format}
            because={said}
            revealed={predicting.revealed}
          />
        ) : (
          said
        )}
      </>
    ),
    now: isAsking
      ? [askOf(asked), `The answer: ${truthWords(asked.question, format)}`]
      : [sentence, ...(step ? [symbolsOf(step)] : [])],
    ahead: isAsking ? 'The answer.' : steps[frame.cursor] ? aheadOf(steps[after - 1]) : 'Credit is done.',
    next: nextOf(),
    previous: frame.cursor > 0 ? { words: 'Back', run: () => move(before) } : null,
  });

  function nextOf() {
    if (predicting && isAsking) return { words: 'Show', run: predicting.reveal };
    if (frame.cursor >= steps.length) return null;
    return { words: 'Next', run: predicting ? predicting.goOn : () => move(after) };
  }
}

export function CompareScene({ children }: SceneProps) {
  const body = useBody();
  return body ? <CompareBody {...body}>{children}</CompareBody> : children(nothingYet('Compare'));
}

function CompareBody({ state, update, own, children }: BodyProps) {
  const { selection } = useLab();
  const choice = useSelection((current) => current);
  const contextLength = useContextLength();
  const place = usePlaceWords();
  const inLesson = choice.lesson !== null;
  const {
    valueRule,
    advantageRule,
    leafNormalisation,
    againstValue,
    againstAdvantage,
    leaf: chosen,
  } = choice;
  const pair = useMemo(() => {
    const tree = rolloutTree(state);
    const a = underRule(update, state, own, { valueRule, advantageRule, leafNormalisation });
    const b =
      a &&
      underRule(update, state, own, {
        valueRule: againstValue ?? a.config.valueRule,
        advantageRule: againstAdvantage ?? otherRule(a.config.advantageRule),
        leafNormalisation,
      });
    if (!tree || !a || !b) return null;
    return { tree, a, b, rows: tree.leaves.map((leaf) => tokenPairs(tree, a, b, leaf, contextLength)) };
  }, [
    state,
    update,
    own,
    valueRule,
    advantageRule,
    leafNormalisation,
    againstValue,
    againstAdvantage,
    contextLength,
  ]);
  if (!pair || pair.rows.length === 0) return children(nothingYet('Compare'));
  const { tree, a, b, rows } = pair;
  const parted = rows.findIndex((row) => firstDisagreement(row) !== null);
  const asked = tree.leaves.indexOf(chosen ?? tree.leaves[parted] ?? bestLeaf(state) ?? tree.leaves[0]);
  const at = Math.max(0, asked);
  const leaf = tree.leaves[at];
  const [sideA, sideB] = [turnCredits(rows[at], 'a'), turnCredits(rows[at], 'b')];
  const onPath = new Map(sideA.map(({ node, range }) => [node, range] as const));
  const first = firstDisagreement(rows[at]);
  const verdict = first
    ? `They part at turn ${first.turn + 1}, ${nodeName(first.node)}.`
    : 'Both push every token of this row the same way.';
  const [titleA, titleB] = [a, b].map(({ config }) => ADVANTAGE_RULES[config.advantageRule].title);
  const go = (to: number): void => selection.select({ leaf: tree.leaves[to] });
  const about: readonly NodeId[] = [leaf, ...sideA.map(({ node }) => node)].filter((id) => id !== ROOT);
  const table = (
    <div className="slide-sides">
      <p>
        <b>A</b> {titleA}
        <br />
        <b>B</b> {titleB}
      </p>
      <table className="slide-table">
        <thead>
          <tr>
            <th scope="col">turn</th>
            <th scope="col">A</th>
            <th scope="col">B</th>
          </tr>
        </thead>
        <tbody>
          {sideA.map(({ turn, node, range }, index) => (
            <tr key={turn} tabIndex={0} data-point>
              <td>{nodeName(node)}</td>
              <td>{formatCreditRange(range)}</td>
              <td>{formatCreditRange(sideB[index].range)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
  return children({
    title: 'Compare',
    place: `${place}${place === '' ? '' : ', '}row ${at + 1} of ${tree.leaves.length}`,
    figure: inLesson ? ( // its text speaks of both rules
      table
    ) : (
      <FigureTree
        title="Advantages of the row under rule A"
        tree={state}
        nodes={state.nodes}
        draw={(node) => drawAdvantage(node, onPath.get(node.id), 1)}
        about={about}
      />
    ),
    says: (
      <>
        {table}
        <p role="status" tabIndex={0} data-point>
          {verdict}
        </p>
      </>
    ),
    now: [`Row of leaf ${nodeName(leaf)}: ${countWords(sideA.length, 'turn')}.`, verdict],
    ahead:
      at + 1 < tree.leaves.length ? `The row of leaf ${nodeName(tree.leaves[at + 1])}.` : 'No more rows.',
    next: at + 1 < tree.leaves.length ? { words: 'Next', run: () => go(at + 1) } : null,
    previous: at > 0 ? { words: 'Back', run: () => go(at - 1) } : null,
  });
}
