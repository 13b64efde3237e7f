/** What the presenter shows of a view: one figure, what is said of it, one step on and one back. Train and Tree. */
import type { ReactNode } from 'react';
import { isDead, nodesGrown } from '../../store/record/reading.ts';
import type { TreeState } from '../../store/record/run_state.ts';
import { drawingFor } from '../drawing/encodings.ts';
import { useActions, useLab, useRun, useQuestion, useSelection, useSentence, useTransport, useTree, useUpdate, useWorth } from '../parts/binding.ts'; // prettier-ignore
import { countWords, formatShare } from '../parts/format.ts';
import { curveData } from '../parts/curve_data.ts';
import { useLook } from '../lessons/looked_at.ts';
import { growthSentence } from '../tree/GrowthBar.tsx';
import { FigureCurve } from './FigureCurve.tsx';
import { FigureTree } from './FigureTree.tsx';

export interface Move {
  readonly words: string; // on its button
  readonly run: () => void;
}

export interface Scene {
  readonly title: string;
  readonly place: string; // which update, prompt, step
  readonly figure: ReactNode;
  readonly says: ReactNode;
  readonly now: readonly string[]; // the same in words, for the lecturer
  readonly ahead: string; // what Next brings
  readonly next: Move | null;
  readonly previous: Move | null;
}

export interface SceneProps {
  readonly children: (scene: Scene) => ReactNode;
}

export const nothingYet = (title: string): Scene => ({
  title,
  place: '',
  figure: null,
  says: <p>There is nothing to show yet. Train has the run: 1.</p>,
  now: [],
  ahead: '',
  next: null,
  previous: null,
});

/** Update and prompt on screen, in words. */
export function usePlaceWords(): string {
  const update = useUpdate();
  const prompt = useSelection((selection) => selection.prompt);
  const isExample = useSelection((selection) => selection.example !== null);
  if (isExample || !update) return '';
  return `update ${update.update}, prompt ${prompt + 1} of ${update.trees.length}`;
}

/** The question of the tree, with its answer. */
export function Question({ tree }: { readonly tree: TreeState }) {
  const read = useSentence();
  const words = useQuestion()(tree.prompt);
  if (words === '') return null;
  return (
    <p className="slide-question" tabIndex={0} data-point>
      {words} {tree.prompt.answer && <strong>{read(tree.prompt.answer)}</strong>}
    </p>
  );
}

export function TrainScene({ children }: SceneProps) {
  const { selection, transport } = useLab();
  const run = useRun((state) => state);
  const update = useUpdate();
  const source = useTransport((state) => state.source);
  const isReady = useTransport(({ engine }) => engine.kind === 'ready');
  const last = run.updates.length;
  const number = update?.update ?? 0;
  const look = useLook();
  const { curves } = curveData(run);
  const curve = curves.find(({ key }) => look.includes(key)) ?? curves[0]; // one that the lesson points at
  const dead = update?.trees.filter(isDead).length ?? 0;
  const match = update?.metrics?.exactMatch ?? null;
  const canTrain = (source === 'live' && isReady) || source === 'recorded';
  const more = (): void => {
    selection.select({ update: null }); // the lecturer makes it move
    transport.stepUpdate();
  };
  const facts = [
    `Exact match of the rollouts: ${match === null ? 'not measured yet' : formatShare(match)}.`,
    ...(update && update.trees.length > 0
      ? [`${dead} of ${countWords(update.trees.length, 'tree')} dead: equal rewards, no gradient.`]
      : []),
  ];
  const isNewest = number >= last;
  return children({
    title: 'Train',
    place: `update ${number} of ${run.header?.config?.updates ?? last}`,
    figure: (
      <FigureCurve curve={curve} at={number} updates={Math.max(run.header?.config?.updates ?? 1, last)} />
    ),
    says: facts.map((fact) => (
      <p key={fact} tabIndex={0} data-point>
        {fact}
      </p>
    )),
    now: facts,
    ahead: isNewest ? 'One more update.' : `Update ${number + 1}.`,
    next: isNewest
      ? canTrain
        ? { words: 'One update', run: more }
        : null
      : { words: 'Next', run: () => selection.select({ update: number + 1 }) },
    previous: number > 1 ? { words: 'Back', run: () => selection.select({ update: number - 1 }) } : null,
  });
}

export function TreeScene({ children }: SceneProps) {
  const tree = useTree();
  return tree ? <GrownTree tree={tree}>{children}</GrownTree> : children(nothingYet('Tree'));
}

function GrownTree({ tree, children }: SceneProps & { readonly tree: TreeState }) {
  const { selection } = useLab();
  const growth = useSelection((state) => state.growth);
  const colour = useSelection((state) => state.colour);
  const selected = useSelection((state) => state.node);
  const worth = useWorth(colour === 'advantage' || colour === 'value' ? tree : null);
  const act = useActions(tree);
  const place = usePlaceWords();
  const length = tree.growth.length;
  const cursor = Math.min(growth ?? length, length);
  const step = tree.growth[cursor - 1];
  const newest = growth !== null && step?.kind === 'node' ? step.node : null;
  const focus = newest ?? selected;
  const node = focus === null ? undefined : tree.nodes[focus];
  const move = (to: number): void => selection.select({ growth: to });
  const sentences = [
    growthSentence(tree, cursor),
    ...(node && act(node) !== '' ? [`It does: ${act(node)}.`] : []),
  ];
  return children({
    title: 'Tree',
    place: `${place}${place === '' ? '' : ', '}growth ${cursor} of ${length}`,
    figure: (
      <FigureTree
        title={`Tree of prompt ${tree.prompt.index + 1}`}
        tree={tree}
        nodes={nodesGrown(tree, cursor)}
        draw={drawingFor(colour, tree, worth)}
        about={focus === null ? [] : [focus]}
      />
    ),
    says: (
      <>
        <Question tree={tree} />
        {sentences.map((sentence) => (
          <p key={sentence} role="status" tabIndex={0} data-point>
            {sentence}
          </p>
        ))}
      </>
    ),
    now: sentences,
    ahead: cursor < length ? growthSentence(tree, cursor + 1) : 'The tree is whole.',
    next: cursor < length ? { words: 'Next', run: () => move(cursor + 1) } : null,
    previous: cursor > 0 ? { words: 'Back', run: () => move(cursor - 1) } : null,
  });
}
