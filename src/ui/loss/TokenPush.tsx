/** What the step asked of every word that could have stood where a token stands: asked of the engine. */
import { useMemo } from 'react';
import type { LossToken } from '../../store/loss/loss_reading.ts';
import type { NodeId } from '../../units.ts';
import { recipeOf } from '../../store/record/reading.ts';
import { tokenQuestion } from '../../store/ask/token_question.ts';
import type { TokenAlternative, TokenPush as Answer } from '../../store/ask/inspection.ts';
import { useInspection, useLab, useRun, useTransport, useTree, useUpdate, useVocabulary } from '../parts/binding.ts'; // prettier-ignore
import {
  countWords,
  formatCount,
  formatNats,
  formatNumber,
  formatShare,
  formatSigned,
} from '../parts/format.ts';
import { Weights } from '../parts/Replay.tsx';
import { creditFill } from '../parts/scales.ts';
import { Label } from '../parts/Term.tsx';
import { StepCheck } from './StepCheck.tsx';

const DIGITS = 6;
const LEAST_PLAIN = 1e-4; // the largest push: below it six digits would be zeros beside a full bar

/** Power of ten that pushes are counted in, so that the largest shows its digits; 0: as they are. */
export const pushPower = (extent: number): number =>
  extent === 0 || extent >= LEAST_PLAIN ? 0 : Math.floor(Math.log10(extent));

interface LineProps {
  readonly name: string;
  readonly probability: number;
  readonly push: number; // −∂L/∂logit
  readonly extent: number;
  readonly power: number; // of ten, that the push is counted in
  readonly isChosen?: boolean;
}

function Line({ name, probability, push, extent, power, isChosen = false }: LineProps) {
  const width = extent > 0 ? Math.abs(push) / extent : 0;
  return (
    <tr aria-current={isChosen || undefined}>
      <th scope="row">
        {isChosen && <span aria-label="chosen: ">● </span>}
        <code>{name}</code>
      </th>
      <td className="number">{formatNumber(probability, 4)}</td>
      <td className="number">{formatSigned(push / 10 ** power, DIGITS)}</td>
      <td className="push-bar" aria-hidden="true">
        <span
          className={push < 0 ? 'down' : 'up'}
          style={{ width: `${50 * width}%`, backgroundColor: creditFill(push, extent) }}
        />
      </td>
    </tr>
  );
}

function Table({ answer, token }: { readonly answer: Answer; readonly token: LossToken }) {
  const vocabulary = useVocabulary();
  const { top, chosen, others, rank } = answer;
  const lines: readonly TokenAlternative[] = rank > top.length ? [...top, chosen] : top;
  const extent = Math.max(...[...lines, others].map(({ dlogit }) => Math.abs(dlogit)));
  const power = pushPower(extent);
  const moved = chosen.logProb - token.logProb;
  return (
    <>
      <table className="push">
        <thead>
          <tr>
            <th scope="col">word</th>
            <th scope="col">p</th>
            <th scope="col">
              push −∂L/∂z
              {power !== 0 && (
                <>
                  , in 10<sup>{formatNumber(power, 0)}</sup>
                </>
              )}
            </th>
            <td />
          </tr>
        </thead>
        <tbody>
          {lines.map((line) => (
            <Line
              key={line.token}
              name={vocabulary[line.token] ?? `#${line.token}`}
              probability={Math.exp(line.logProb)}
              push={-line.dlogit}
              extent={extent}
              power={power}
              isChosen={line.token === chosen.token}
            />
          ))}
          {others.count > 0 && (
            <Line
              name={`${countWords(others.count, 'other')}`}
              probability={others.probability}
              push={-others.dlogit}
              extent={extent}
              power={power}
            />
          )}
        </tbody>
      </table>
      {extent === 0 && <p className="small">No word is pushed: the step’s gradient is 0 here.</p>}
      <p className="small soft">
        ● stands {rank === 1 ? 'first' : `at place ${rank}`} of {formatCount(lines.length + others.count)}.
        The pushes add up to zero: what one word gains, the others lose. They are summed over{' '}
        {countWords(answer.readers, 'row')} of the mini-batch with this token here; rows that go on with
        another word add theirs. Gradient of update {answer.update}; probabilities at {weightsOf(answer)},
        where the token has {formatNats(chosen.logProb, 4)}, {formatSigned(moved, 4)} from when the loss read
        it (p then {formatShare(Math.exp(token.logProb), 1)}).
      </p>
    </>
  );
}

/** Whose probabilities they are. */
const weightsOf = ({ parameters, update }: Pick<Answer, 'parameters' | 'update'>): string => {
  if (parameters === 'replayed')
    return `the weights that grew this update’s trees, those after update ${update - 1}`;
  return `the run’s ${parameters === 'current' ? 'present' : 'starting'} parameters`;
};

interface TokenPushProps {
  readonly token: LossToken;
  readonly leaf: NodeId; // of the row
}

export function TokenPush({ token, leaf }: TokenPushProps) {
  const { inspection } = useLab();
  const update = useUpdate();
  const tree = useTree();
  const config = useRun(recipeOf);
  const engine = useTransport((transport) => transport.engine.kind);
  const asking = useInspection((state) => state.asking);
  const answer = useInspection((state) => state.tokenPush);
  const question = useMemo(
    () => config && update && tree && tokenQuestion(config, update, tree, leaf, token.position),
    [config, update, tree, leaf, token.position],
  );
  if (!question) return null;
  const fits =
    answer?.update === question.update &&
    answer.prompt === question.prompt &&
    answer.leaf === question.leaf &&
    answer.position === token.position;
  return (
    <>
      <section className="token-push" aria-label="Push on the logits">
        <h3>
          <Label>Push on the logits</Label>
        </h3>
        {fits && <Table answer={answer} token={token} />}
        <p>
          <button
            type="button"
            disabled={engine !== 'ready' || asking !== null}
            onClick={() => inspection.inspectToken(question)}
          >
            {asking === 'inspect-token' ? 'Computing …' : fits ? 'Ask again' : 'Which words were pushed?'}
          </button>{' '}
          {engine === 'unavailable' && <span className="small soft">Asking the model needs WebGPU.</span>}
        </p>
        <Weights update={question.update} />
      </section>
      <StepCheck
        place={{ prompt: question.prompt, leaf: question.leaf, position: token.position }}
        update={question.update}
      />
    </>
  );
}
