/** The Loss view: one leaf's row as the trainer saw it, token by token, and what the step did with it. */
import { useMemo, useState } from 'react';
import { readLoss, type LossToken } from '../../store/loss_reading.ts';
import { bestLeaf, leavesOf, pathTokens, rewardOf } from '../../store/reading.ts';
import type { TreeState, UpdateState } from '../../store/run_state.ts';
import type { LossConfig, NodeId } from '../../units.ts';
import { useLab, useRun, useSelection, useTree, useUpdate, useVocabulary } from '../binding.ts';
import { formatNumber, formatSigned } from '../format.ts';
import { REWARD_GLYPHS, rewardClass } from '../scales.ts';
import { Transcript } from '../transcript/Transcript.tsx';
import { nodeName } from '../tree/encodings.ts';
import { PromptBar } from '../tree/PromptBar.tsx';
import { GradientNorms } from './GradientNorms.tsx';
import {
  TOKEN_ENCODINGS,
  ENCODING_WORDS,
  decorateToken,
  tokenExtent,
  type TokenEncoding,
} from './token_encodings.ts';
import { TokenPanel } from './TokenPanel.tsx';
import { TurnLane } from './TurnLane.tsx';

function LeafPicker({ tree, leaf }: { readonly tree: TreeState; readonly leaf: NodeId }) {
  const { selection } = useLab();
  return (
    <div className="bar leaf-picker" role="group" aria-label="Leaf">
      <span className="heading">Leaf</span>
      {leavesOf(tree).map((id) => {
        const reward = rewardOf(tree, id);
        return (
          <button
            key={id}
            type="button"
            aria-pressed={id === leaf}
            aria-label={`leaf ${nodeName(id)}, reward ${formatNumber(reward, 0)}`}
            onClick={() => selection.select({ leaf: id, node: id })}
          >
            {REWARD_GLYPHS[rewardClass(reward)]} {nodeName(id)}
          </button>
        );
      })}
    </div>
  );
}

interface RowProps {
  readonly update: UpdateState;
  readonly tree: TreeState;
  readonly leaf: NodeId;
  readonly config: LossConfig;
}

function Row({ update, tree, leaf, config }: RowProps) {
  const { selection } = useLab();
  const vocabulary = useVocabulary();
  const position = useSelection(({ token }) => token);
  const [encoding, setEncoding] = useState<TokenEncoding>('loss');
  const reading = useMemo(() => readLoss(update, tree, leaf, config), [update, tree, leaf, config]);
  const tokens = useMemo(() => pathTokens(tree, leaf, vocabulary), [tree, leaf, vocabulary]);
  const byPosition = useMemo(
    () =>
      new Map(reading?.turns.flatMap((turn) => turn.tokens.map((token) => [token.position, token] as const))),
    [reading],
  );
  if (!reading)
    return (
      <p className="empty">
        {update.metrics
          ? 'This row was in no mini-batch.'
          : 'The loss of this row comes when the update reaches its loss phase.'}
      </p>
    );
  const extent = tokenExtent(reading.turns, encoding);
  const first = reading.turns[0]?.tokens[0];
  const chosen: LossToken | undefined = (position === null ? undefined : byPosition.get(position)) ?? first;
  const turn = chosen && reading.turns[chosen.turn];
  const chosenText = chosen && tokens[chosen.position]?.text;
  return (
    <div className="loss-columns">
      <div className="loss-main">
        <TurnLane turns={reading.turns} config={config} />
        <div className="bar" role="group" aria-label="Colour tokens by">
          <span className="heading">Colour tokens by</span>
          {TOKEN_ENCODINGS.map((option) => (
            <button
              key={option}
              type="button"
              aria-pressed={option === encoding}
              onClick={() => setEncoding(option)}
            >
              {option}
            </button>
          ))}
        </div>
        <p className="small soft">
          {ENCODING_WORDS[encoding]}. Purple and dotted below is under zero, orange with a line above is over
          zero; hatched text comes from the environment and carries no loss.
        </p>
        <Transcript
          tokens={tokens}
          selected={chosen?.position ?? null}
          onSelect={(at) => selection.select({ token: at, node: tokens[at]?.node ?? null })}
          decorate={(token) => {
            const scored = byPosition.get(token.position);
            if (scored) {
              const decoration = decorateToken(scored, encoding, extent);
              return { ...decoration, title: `${token.text}: ${decoration.title}` };
            }
            const why = token.source === 'prompt' ? 'the question' : 'environment text';
            return { title: `${token.text}: no loss, ${why}` };
          }}
        />
        <p className="small">
          Row loss Σ w·ℓ = <span className="number">{formatSigned(reading.loss, 5)}</span>, one of{' '}
          {reading.minibatch.rows.length} rows in mini-batch {reading.minibatch.minibatch + 1}, whose loss is{' '}
          <span className="number">{formatSigned(reading.minibatch.loss, 5)}</span>. Normalised advantages
          nearly cancel within a tree, so a loss near zero does not mean that nothing is learned: look at the
          gradient.
        </p>
        <GradientNorms minibatch={reading.minibatch} />
      </div>
      <div className="loss-side">
        {chosen && turn && <TokenPanel text={chosenText ?? ''} token={chosen} turn={turn} config={config} />}
      </div>
    </div>
  );
}

export function LossView() {
  const update = useUpdate();
  const tree = useTree();
  const selectedLeaf = useSelection(({ leaf }) => leaf);
  const config = useRun((run) => run.header?.config.algorithm.loss ?? null);
  const leaf = tree && (selectedLeaf ?? bestLeaf(tree));
  return (
    <div className="view loss-view">
      <PromptBar />
      {update && tree && leaf !== null && config ? (
        <>
          <LeafPicker tree={tree} leaf={leaf} />
          <Row update={update} tree={tree} leaf={leaf} config={config} />
        </>
      ) : (
        <p className="empty">No rollout has ended yet.</p>
      )}
    </div>
  );
}
