/** The words of a row coloured by one quantity of the loss; hatched where there is none. */
import { useMemo } from 'react';
import type { LossReading, LossToken } from '../../store/loss_reading.ts';
import { maskReason } from '../../store/mask_reason.ts';
import type { PathToken } from '../../store/reading.ts';
import type { TreeState } from '../../store/run_state.ts';
import type { LossConfig, NodeId } from '../../units.ts';
import { useLab, useRun, useSelection } from '../binding.ts';
import { Transcript, type TokenDecoration } from '../transcript/Transcript.tsx';
import { MASK_WORDS } from './mask_words.ts';
import {
  ENCODING_WORDS,
  TOKEN_ENCODINGS,
  decorateToken,
  encodingName,
  tokenExtent,
} from './token_encodings.ts';

interface TokenStripProps {
  readonly tree: TreeState;
  readonly leaf: NodeId;
  readonly reading: LossReading | null; // null: the row is in no mini-batch
  readonly config: LossConfig;
  readonly tokens: readonly PathToken[];
  readonly byPosition: ReadonlyMap<number, LossToken>;
  readonly selected: number | null; // position
}

export function TokenStrip({ tree, leaf, reading, config, tokens, byPosition, selected }: TokenStripProps) {
  const { selection } = useLab();
  const contextLength = useRun((run) => run.header?.environment.contextLength ?? Infinity);
  const encoding = useSelection(({ tokenColour }) => tokenColour);
  const decorate = useMemo(() => {
    const extent = tokenExtent(reading?.turns ?? [], encoding);
    return (token: PathToken): TokenDecoration => {
      const scored = byPosition.get(token.position);
      if (!scored) {
        const reason = maskReason(tree, leaf, token.position, reading !== null, contextLength);
        return { title: `${token.text}: no loss, ${MASK_WORDS[reason].short}`, masked: reason !== 'prompt' };
      }
      const decoration = decorateToken(scored, encoding, extent, config.ratioLevel);
      return { ...decoration, title: `${token.text}: ${decoration.title}` };
    };
  }, [tree, leaf, reading, encoding, byPosition, contextLength, config]);
  return (
    <>
      <div className="bar" role="group" aria-label="Colour tokens by">
        <span className="heading">Colour tokens by</span>
        {TOKEN_ENCODINGS.map((option) => (
          <button
            key={option}
            type="button"
            aria-pressed={option === encoding}
            onClick={() => selection.select({ tokenColour: option })}
          >
            {encodingName(option, config.ratioLevel)}
          </button>
        ))}
      </div>
      <p className="small soft">
        {ENCODING_WORDS[encoding]}. Purple and dotted below is under zero, orange with a line above is over
        zero; hatched text carries no loss: select it to read why.
      </p>
      <Transcript
        tokens={tokens}
        selected={selected}
        onSelect={(at) => selection.select({ token: at, node: tokens[at]?.node ?? null })}
        decorate={decorate}
      />
    </>
  );
}
