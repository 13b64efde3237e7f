/** The Loss view: one leaf's row as the trainer saw it, token by token, and what the step did with its mini-batch. */
import { useMemo } from 'react';
import { advantageOfToken, OWN_CREDIT, recredit } from '../../store/credit/credit.ts';
import { clippedTurns, largestPush, largestPushes } from '../../store/loss/loss_places.ts';
import { readLoss, type LossReading, type LossToken } from '../../store/loss/loss_reading.ts';
import { maskReason, netWeight, silenceOf } from '../../store/loss/net_weight.ts';
import { bestLeaf, leavesOf, pathTokens, rewardOf } from '../../store/record/reading.ts';
import type { TreeState, UpdateState } from '../../store/record/run_state.ts';
import type { LossConfig, NodeId } from '../../units.ts';
import { nodeName } from '../drawing/encodings.ts';
import {
  useContextLength,
  useRecipe,
  useLab,
  useSelection,
  useTree,
  useUpdate,
  useVocabulary,
} from '../parts/binding.ts';
import { LazyPart } from '../parts/Boundary.tsx';
import { countWords, formatNumber, formatSigned } from '../parts/format.ts';
import { Hidable, Missing, useMissing, Waiting } from '../parts/parts.tsx';
import { PromptBar } from '../parts/PromptBar.tsx';
import { REWARD_GLYPHS, rewardClass } from '../parts/scales.ts';
import { BalancePanel, NetWeightPanel } from './BalancePanel.tsx';
import { ClipQuestion } from './ClipQuestion.tsx';
import { GradientNorms } from './GradientNorms.tsx';
import { SILENCE_WORDS } from './loss_words.ts';
import { PlacesBar } from './PlacesBar.tsx';
import { SpreadPanel } from './SpreadPanel.tsx';
import { StoppingPanel } from './StoppingPanel.tsx';
import { MaskedToken, TokenPanel } from './TokenPanel.tsx';
import { TokenStrip } from './TokenStrip.tsx';
import { TurnLane } from './TurnLane.tsx';

// One row: its turns, its tokens, the chosen token in full, and the mini-batch it was trained in.

interface RowProps {
  readonly update: UpdateState;
  readonly tree: TreeState;
  readonly leaf: NodeId;
  readonly config: LossConfig;
}

function NoReading({ update: { ended }, tree: { dropped } }: Pick<RowProps, 'update' | 'tree'>) {
  if (dropped)
    return (
      <p>
        The run’s filter dropped this question’s rollouts: no row of them is trained on, and no token has a
        loss.
      </p>
    );
  if (ended) return <p>This row was in no mini-batch.</p>;
  return <Waiting>The loss of this row comes when the update reaches its loss phase.</Waiting>;
}

interface ChosenProps extends RowProps {
  readonly reading: LossReading;
  readonly token: LossToken;
  readonly text: string;
}

/** A trained-on token: its numbers, why it is not pushed if it is not, and how often it is counted. */
function ChosenToken({ update, tree, leaf, config, reading, token, text }: ChosenProps) {
  const credit = useRecipe((config) => config.algorithm.credit);
  const turn = reading.turns[token.turn];
  const net = useMemo(
    () => netWeight(reading.minibatch, tree, leaf, token.position, config),
    [reading, tree, leaf, token, config],
  );
  const silence = useMemo(() => {
    if (!credit || turn.node === null) return null;
    const own = recredit(tree, credit, OWN_CREDIT, update.trees);
    const credited = own ? advantageOfToken(tree, own, leaf, token.position) : token.advantage;
    return silenceOf(token, tree, config, credited);
  }, [credit, turn, tree, update, leaf, token, config]);
  return (
    <>
      <TokenPanel text={text} token={token} turn={turn} net={net} config={config} leaf={leaf} />
      {silence && (
        <section className="panel" aria-label="Why no push">
          <h2>Why does this row not push the token?</h2>
          <p className="small">{SILENCE_WORDS[silence]}</p>
        </section>
      )}
      <NetWeightPanel net={net} />
    </>
  );
}

interface RowViewProps extends RowProps {
  readonly opens?: number | null; // position of the token on which the row opens; its first one without
}

export function LossRowView(props: RowViewProps) {
  const { update, tree, leaf, config } = props;
  const vocabulary = useVocabulary();
  const contextLength = useContextLength();
  const position = useSelection(({ token }) => token);
  const reading = useMemo(() => readLoss(update, tree, leaf, config), [update, tree, leaf, config]);
  const tokens = useMemo(() => pathTokens(tree, leaf, vocabulary), [tree, leaf, vocabulary]);
  const byPosition = useMemo(
    () =>
      new Map(reading?.turns.flatMap((turn) => turn.tokens.map((token) => [token.position, token] as const))),
    [reading],
  );
  const at = position !== null && position < tokens.length ? position : null;
  const chosen = at !== null ? byPosition.get(at) : (byPosition.get(props.opens ?? -1) ?? reading?.turns[0]?.tokens[0]); // prettier-ignore
  const strip = { tree, leaf, reading, config, tokens, byPosition, selected: at ?? chosen?.position ?? null };
  return (
    <div className="loss-columns">
      <div className="loss-main">
        {reading ? (
          <TurnLane turns={reading.turns} config={config} />
        ) : (
          <NoReading update={update} tree={tree} />
        )}
        <TokenStrip {...strip} />
        {reading && <BatchPanels {...props} reading={reading} />}
      </div>
      <div className="loss-side">
        {chosen && reading && (
          <ChosenToken {...props} reading={reading} token={chosen} text={tokens[chosen.position].text} />
        )}
        {!chosen && at !== null && (
          <MaskedToken
            text={tokens[at].text}
            reason={maskReason(tree, leaf, at, reading !== null, contextLength)}
          />
        )}
      </div>
    </div>
  );
}

function BatchPanels({ update, config, reading }: RowProps & { readonly reading: LossReading }) {
  const { minibatch } = reading;
  return (
    <div className="loss-batch">
      <p className="small">
        Row loss Σ w·ℓ = <span className="number">{formatSigned(reading.loss, 5)}</span>, one of{' '}
        {countWords(minibatch.rows.length, 'row')} in mini-batch {minibatch.minibatch + 1}, whose loss is{' '}
        <span className="number">{formatSigned(minibatch.loss, 5)}</span>.
      </p>
      {config.surrogate === 'clip' && (
        <Hidable name="clip">
          <ClipQuestion key={minibatch.minibatch} minibatch={minibatch} config={config} />
        </Hidable>
      )}
      <BalancePanel update={update} minibatch={minibatch} config={config} />
      <StoppingPanel update={update} config={config} />
      <SpreadPanel minibatch={minibatch} config={config} />
      <GradientNorms minibatch={minibatch} />
    </div>
  );
}

interface LeafPickerProps {
  readonly tree: TreeState;
  readonly leaf: NodeId;
  readonly clipped: (leaf: NodeId) => number; // turns of its row
}

function LeafPicker({ tree, leaf, clipped }: LeafPickerProps) {
  const { selection } = useLab();
  return (
    <div className="bar leaf-picker" role="group" aria-label="Leaf">
      <span className="heading">Leaf</span>
      {leavesOf(tree).map((id) => {
        const reward = rewardOf(tree, id);
        const count = clipped(id);
        const said = count === 0 ? '' : `, ${countWords(count, 'clipped turn')}`;
        return (
          <button
            key={id}
            type="button"
            aria-pressed={id === leaf}
            aria-label={`leaf ${nodeName(id)}, reward ${formatNumber(reward, 0)}${said}`}
            onClick={() => selection.select({ leaf: id, node: id })}
          >
            {REWARD_GLYPHS[rewardClass(reward)]} {nodeName(id)}
            {count === 0 ? '' : ` ⊘${count}`}
          </button>
        );
      })}
    </div>
  );
}

interface TreeLossProps {
  readonly update: UpdateState;
  readonly tree: TreeState;
  readonly config: LossConfig;
}

/** Of what the update's rows hold: where it opens, what stands clipped. It opens on the largest push of the prompt. */
function TreeLoss({ update, tree, config }: TreeLossProps) {
  const selected = useSelection(({ leaf }) => leaf);
  const token = useSelection((selection) => selection.token);
  const pushes = useMemo(() => largestPushes(update, config), [update, config]);
  const clipped = useMemo(() => clippedTurns(update, config), [update, config]);
  const { index: prompt } = tree.prompt;
  const ofPrompt = pushes.filter((push) => push.prompt === prompt);
  const leaf = selected ?? largestPush(ofPrompt)?.leaf ?? bestLeaf(tree);
  const opens = ofPrompt.find((push) => push.leaf === leaf)?.position ?? null;
  const countIn = (at: number, of?: NodeId): number => clipped.places.filter((place) => place.prompt === at && (of === undefined || place.leaf === of)).length; // prettier-ignore
  const mark = (at: number): string => (countIn(at) === 0 ? '' : ` ⊘ ${countIn(at)} clipped`);
  return (
    <>
      <PromptBar mark={mark} />
      {leaf === null ? (
        <Waiting>No rollout has ended yet.</Waiting>
      ) : (
        <>
          <Hidable name="places">
            <PlacesBar
              update={update}
              config={config}
              clipped={clipped}
              pushes={pushes}
              here={{ prompt, leaf, position: token ?? opens ?? -1 }}
            />
          </Hidable>
          <LeafPicker tree={tree} leaf={leaf} clipped={(id) => countIn(prompt, id)} />
          <LossRowView update={update} tree={tree} leaf={leaf} config={config} opens={opens} />
        </>
      )}
    </>
  );
}

const loadQuestions = () => import('../questions/Questions.tsx');

/** Without a loss to show, what can be said of the rollouts stands in its place. */
export function LossView() {
  const update = useUpdate();
  const tree = useTree();
  const config = useRecipe((config) => config.algorithm.loss);
  const isMissing = useMissing('loss').length > 0;
  return (
    <div className="view loss-view">
      {!isMissing && update && tree && config ? (
        <TreeLoss update={update} tree={tree} config={config} />
      ) : (
        <>
          <PromptBar />
          {isMissing ? <Missing view="loss" /> : <Waiting>No rollout has ended yet.</Waiting>}
          {isMissing && (
            <Hidable name="questions">
              <LazyPart name="The answers to questions" load={loadQuestions} props={{}} />
            </Hidable>
          )}
        </>
      )}
    </div>
  );
}
