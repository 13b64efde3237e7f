/** The words of a path, turn by turn: shaded by uncertainty, environment text hatched, tags typeset. */
import { memo, type CSSProperties } from 'react';
import { joinerOf, type PathToken } from '../../store/record/reading.ts';
import type { NodeId, ToldTurn } from '../../units.ts';
import { useRun } from './binding.ts';
import { formatNats } from './format.ts';
import { entropyShade, surprisalShade } from './scales.ts';

export type TokenShading = 'none' | 'entropy' | 'surprisal';

export interface TokenDecoration {
  readonly background?: string; // CSS colour
  readonly title?: string;
  /** Carries the sign without colour: a solid line above for plus, a dotted one below for minus. */
  readonly sign?: 'plus' | 'minus';
  readonly masked?: boolean; // hatched; environment text always is
}

export interface TranscriptProps {
  readonly tokens: readonly PathToken[];
  readonly shading?: TokenShading; // default none
  readonly extent?: number; // nats of full shade; default ln 8
  readonly showPrompt?: boolean; // default true
  readonly current?: NodeId | null; // turn to mark
  readonly selected?: number | null; // position of the selected token
  readonly told?: ReadonlyMap<NodeId, readonly ToldTurn[]>; // sentences beside the tokens of a turn
  readonly onSelect?: (position: number) => void; // makes tokens buttons
  /** Overrides shading and the spoken description per token, e.g. for loss or advantage. */
  readonly decorate?: (token: PathToken) => TokenDecoration;
}

const TAG = /^<(\/?)([a-z]+)>$/;
const DEFAULT_EXTENT = Math.log(8);

/** `<search>` reads "search ‹", `</search>` "›": a bracket pair with its name in front. */
function TokenText({ text }: { readonly text: string }) {
  const tag = TAG.exec(text);
  if (!tag) return <>{text}</>;
  return tag[1] ? <span className="tag">›</span> : <span className="tag">{tag[2]} ‹</span>;
}

/** What a token says on hover and to a screen reader. */
export function describeToken(token: PathToken): string {
  const text = token.text.trim();
  if (token.source === 'prompt') return `${text}: prompt`;
  if (token.source === 'environment') return `${text}: environment text, no loss`;
  if (token.logProb === null && token.entropy === null) return `${text}: probability unknown`;
  return `${text}: log-probability ${formatNats(token.logProb)}, entropy ${formatNats(token.entropy)}`;
}

function shadeOf(token: PathToken, shading: TokenShading, extent: number): string | undefined {
  const number = shading === 'entropy' ? token.entropy : token.logProb;
  if (shading === 'none' || number === null) return undefined;
  return shading === 'entropy' ? entropyShade(number, extent) : surprisalShade(number, extent);
}

interface Run {
  readonly node: NodeId;
  readonly tokens: readonly PathToken[];
}

/** Consecutive tokens of one node. */
function byTurn(tokens: readonly PathToken[]): readonly Run[] {
  const runs: { node: NodeId; tokens: PathToken[] }[] = [];
  for (const token of tokens) {
    const last = runs[runs.length - 1];
    if (last && last.node === token.node) last.tokens.push(token);
    else runs.push({ node: token.node, tokens: [token] });
  }
  return runs;
}

function Token({ token, ...props }: { readonly token: PathToken } & TranscriptProps) {
  const { shading = 'none', extent = DEFAULT_EXTENT, selected, onSelect, decorate } = props;
  const own = decorate?.(token);
  const background = own?.background ?? shadeOf(token, shading, extent);
  const style: CSSProperties | undefined = background ? { backgroundColor: background } : undefined;
  const title = own?.title ?? describeToken(token);
  const masked = own?.masked ?? token.source === 'environment';
  const shared = {
    className: 'token',
    'data-source': token.source,
    'data-masked': masked,
    'data-sign': own?.sign,
    style,
    title,
  };
  if (!onSelect)
    return (
      <span {...shared}>
        <TokenText text={token.text} />
      </span>
    );
  return (
    <button
      type="button"
      {...shared}
      aria-label={title}
      aria-pressed={selected === token.position}
      onClick={() => onSelect(token.position)}
    >
      <TokenText text={token.text} />
    </button>
  );
}

export const Transcript = memo(function Transcript(props: TranscriptProps) {
  const { tokens, showPrompt = true, current = null, told } = props;
  const joiner = useRun(joinerOf);
  const shown = showPrompt ? tokens : tokens.filter((token) => token.source !== 'prompt');
  return (
    <div className="transcript" data-pieces={joiner === ''}>
      {byTurn(shown).map((run) => (
        <div className="turn" key={run.node} data-current={run.node === current}>
          {run.tokens.map((token) => (
            <span key={token.position}>
              <Token {...props} token={token} />
              {joiner}
            </span>
          ))}
          {told?.get(run.node)?.map(({ sentence, fate }, place) => (
            <p className="told" data-fate={fate} key={place}>
              {sentence}
            </p>
          ))}
        </div>
      ))}
    </div>
  );
});
