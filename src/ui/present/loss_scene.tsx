/** What the presenter shows of Loss: the words of a row, one of them with the numbers that push it. */
import { useMemo } from 'react';
import { largestPush, largestPushes } from '../../store/loss/loss_places.ts';
import { readLoss } from '../../store/loss/loss_reading.ts';
import { bestLeaf, pathTokens } from '../../store/record/reading.ts';
import type { TreeState, UpdateState } from '../../store/record/run_state.ts';
import type { LossConfig, NodeId } from '../../units.ts';
import { nodeName } from '../drawing/encodings.ts';
import { CLIP_WORDS, hasRatio, LEVEL_WORDS } from '../loss/loss_words.ts';
import { useLab, useRecipe, useSelection, useTree, useUpdate, useVocabulary } from '../parts/binding.ts';
import { formatCredit, formatNumber, formatRatio, formatSigned } from '../parts/format.ts';
import { nothingYet, usePlaceWords, type SceneProps } from './scene.tsx';

const AROUND = 24; // words on either side: more are not read from the last row

export function LossScene({ children }: SceneProps) {
  const update = useUpdate();
  const tree = useTree();
  const config = useRecipe((recipe) => recipe.algorithm.loss);
  const selected = useSelection(({ leaf }) => leaf);
  const pushes = useMemo(() => (update && config ? largestPushes(update, config) : []), [update, config]);
  const here = pushes.filter(({ prompt }) => prompt === tree?.prompt.index);
  const leaf = selected ?? largestPush(here)?.leaf ?? (tree && bestLeaf(tree));
  if (!update || !tree || !config || leaf == null) return children(nothingYet('Loss'));
  const opens = here.find((push) => push.leaf === leaf)?.position ?? null;
  return (
    <Row update={update} tree={tree} config={config} leaf={leaf} opens={opens}>
      {children}
    </Row>
  );
}

interface RowProps extends SceneProps {
  readonly update: UpdateState;
  readonly tree: TreeState;
  readonly config: LossConfig;
  readonly leaf: NodeId;
  readonly opens: number | null; // position on which the row opens
}

function Row({ update, tree, config, leaf, opens, children }: RowProps) {
  const { selection } = useLab();
  const texts = useVocabulary();
  const position = useSelection(({ token }) => token);
  const place = usePlaceWords();
  const reading = useMemo(() => readLoss(update, tree, leaf, config), [update, tree, leaf, config]);
  const words = useMemo(() => pathTokens(tree, leaf, texts), [tree, leaf, texts]);
  const tokens = reading?.turns.flatMap((turn) => turn.tokens) ?? [];
  const wanted = tokens.findIndex((token) => token.position === (position ?? opens));
  const at = Math.max(0, wanted);
  const token = tokens[at];
  if (!reading || !token) return children(nothingYet('Loss'));
  const pushOf = new Map(tokens.map((each) => [each.position, each.dlogProb]));
  const go = (to: number): void => selection.select({ leaf, token: tokens[to].position });
  const word = words[token.position].text.trim();
  const way = token.dlogProb < 0 ? 'more' : 'less';
  const verdict =
    token.dlogProb === 0
      ? `This row does not push “${word}”.`
      : `This row pushes “${word}” to be ${way} likely.`;
  const facts: readonly (readonly [string, string])[] = [
    [
      'probability',
      `${formatNumber(Math.exp(token.oldLogProb), 3)} → ${formatNumber(Math.exp(token.logProb), 3)}`,
    ],
    ['advantage', formatCredit(token.advantage)],
    ...(hasRatio(config)
      ? [[`ratio, ${LEVEL_WORDS[config.ratioLevel]}`, formatRatio(token.ratio)] as const]
      : []),
    ['clip', CLIP_WORDS[token.clipState].split(':')[0]],
    ['loss', formatSigned(token.tokenLoss, 4)],
  ];
  return children({
    title: 'Loss',
    place: `${place}${place === '' ? '' : ', '}leaf ${nodeName(leaf)}, token ${at + 1} of ${tokens.length}`,
    figure: (
      <p className="slide-row">
        {words
          .filter((each) => each.source !== 'prompt' && Math.abs(each.position - token.position) <= AROUND)
          .map((each) => {
            const push = pushOf.get(each.position);
            const sign = !push ? undefined : push < 0 ? 'plus' : 'minus'; // a negative gradient raises the probability
            return (
              <span key={each.position}>
                <span
                  className="slide-word"
                  data-source={each.source}
                  data-sign={sign}
                  data-current={each.position === token.position}
                >
                  {each.text}
                </span>{' '}
              </span>
            );
          })}
      </p>
    ),
    says: (
      <>
        <p role="status" tabIndex={0} data-point>
          {verdict}
        </p>
        <table className="slide-table">
          <tbody>
            {facts.map(([name, value]) => (
              <tr key={name} tabIndex={0} data-point>
                <th scope="row">{name}</th>
                <td>{value}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </>
    ),
    now: [verdict, ...facts.map(([name, value]) => `${name}: ${value}`)],
    ahead:
      at + 1 < tokens.length
        ? `The token “${words[tokens[at + 1].position].text.trim()}”.`
        : 'The row is over.',
    next: at + 1 < tokens.length ? { words: 'Next', run: () => go(at + 1) } : null,
    previous: at > 0 ? { words: 'Back', run: () => go(at - 1) } : null,
  });
}
