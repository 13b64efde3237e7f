/** The Tree view: one prompt's tree as it grows or is replayed, or all trees of an update; why turns were expanded. */
import { recipeOf, joinerOf, nodesGrown } from '../../store/record/reading.ts';
import { creditRulesOf } from '../../store/credit/credit.ts';
import { useMemo, useState } from 'react';
import { useStore } from 'zustand';
import { worthOf } from '../../store/credit/advantage_range.ts';
import { otherAsking } from '../../store/place/missing_place.ts';
import type { TreeState } from '../../store/record/run_state.ts';
import type { TreeColour } from '../../store/place/selection.ts';
import type { NodeId } from '../../units.ts';
import {
  useActions,
  useLab,
  useRun,
  useUpdateNumber,
  useWorth,
  useSelection,
  useVocabulary,
} from '../parts/binding.ts';
import { drawingFor, withActions } from '../drawing/encodings.ts';
import { TreeDrawing } from '../drawing/TreeDrawing.tsx';
import { createCamera, type CameraStore } from '../drawing/use_camera.ts';
import { pathOf, type Nodes } from '../drawing/drawn_tree.ts';
import { useFolding } from '../drawing/folding.ts';
import { Hidable, Missing } from '../parts/parts.tsx';
import { NoTree, PromptBar } from '../parts/PromptBar.tsx';
import { BatchGrid } from './BatchGrid.tsx';
import { ExpansionPanel } from './ExpansionPanel.tsx';
import { GrowthBar } from './GrowthBar.tsx';
import { LazyPart } from '../parts/Boundary.tsx';
import { useShownTree } from './hand_words.ts';
import { HandPanel } from './HandPanel.tsx';
import { InterventionBar } from './InterventionBar.tsx';
import { NodePanels } from './NodePanel.tsx';
import { findTurns, SearchBar, tagsOf, TreeTools } from './TreeTools.tsx';

interface BesideTreeProps {
  readonly tree: TreeState;
  readonly colour: TreeColour;
  readonly camera: CameraStore;
}

function NothingBeside() {
  const { selection } = useLab();
  const archived = useRun((run) => run.updates.filter(({ detail }) => detail !== 'here').length);
  return (
    <p className="panel small">
      This run asked the question once
      {archived > 0 ? ` (of ${archived} older updates the trees are no longer at hand)` : ''}: every update
      draws new questions, and a recording cannot be asked again. A run of another method with the same seed
      asks the same questions: keep one in{' '}
      <button type="button" className="quiet link" onClick={() => selection.select({ view: 'compare' })}>
        Compare
      </button>{' '}
      and its tree stands here.
    </p>
  );
}

/** The same question's tree of another update, or of a kept run, under the same camera as the tree above it. */
function BesideTree({ tree, colour, camera }: BesideTreeProps) {
  const { shelf, selection } = useLab();
  const run = useRun((state) => state);
  const kept = useStore(shelf, (state) => state.runs);
  const update = useUpdateNumber();
  const other = useMemo(() => otherAsking(run, kept, tree.prompt, update), [run, kept, tree, update]);
  const draw = useMemo(() => {
    if (!other) return null;
    const rules = creditRulesOf(other.run);
    const { trees } = other.run.updates[other.update - 1];
    const worth = rules && worthOf(other.tree, rules, trees, recipeOf(other.run) !== null);
    return drawingFor(colour, other.tree, worth ?? { values: null, advantages: null });
  }, [other, colour]);
  if (!other || !draw) return <NothingBeside />;
  const pin = (node: NodeId): void => {
    if (other.from === null)
      selection.select({ pinned: { update: other.update, prompt: other.prompt, node } });
  };
  const when = other.update < update ? 'before' : other.update > update ? 'after' : 'in';
  const where = other.from === null ? `update ${other.update}` : `${other.from}, update ${other.update}`;
  return (
    <figure className="beside">
      <figcaption className="small">
        The same question {when} update {update}: {where}
      </figcaption>
      <TreeDrawing
        title={`The same question at ${where}`}
        tree={other.tree}
        nodes={other.tree.nodes}
        draw={draw}
        camera={camera}
        onPick={pin}
        caption={`coloured by ${colour === 'entropy' ? 'surprisal' : colour}`}
        of={{ header: other.run.header, update: other.update }}
      />
    </figure>
  );
}

/** All but the way to a node and what follows from it. */
function besidePath(nodes: Nodes, selected: NodeId): ReadonlySet<NodeId> {
  const kept = new Set(pathOf(nodes, selected));
  const waiting = [selected];
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    kept.add(id);
    waiting.push(...(nodes[id]?.children ?? []));
  }
  return new Set(nodes.flatMap((node) => (node && !kept.has(node.id) ? [node.id] : [])));
}

/** The node that the growth cursor has just brought; null where the whole tree stands. */
function newest(tree: TreeState, growth: number | null): NodeId | null {
  const step = growth === null ? undefined : tree.growth[growth - 1];
  return step?.kind === 'node' ? step.node : null;
}

function TreePane({ tree, nodes }: { readonly tree: TreeState; readonly nodes: Nodes }) {
  const selected = useSelection((state) => state.node);
  const growth = useSelection((state) => state.growth);
  const colour = useSelection((state) => state.colour);
  const beside = useSelection((state) => state.beside);
  const query = useSelection((state) => state.find);
  const vocabulary = useVocabulary();
  const joiner = useRun(joinerOf);
  const { selection } = useLab();
  const onlyPath = useSelection((state) => state.onlyPath);
  const [camera] = useState(createCamera);
  const folding = useFolding(nodes);
  const found = useMemo(
    () => findTurns(tree, nodes, query, vocabulary, joiner),
    [tree, nodes, query, vocabulary, joiner],
  );
  const foundSet = useMemo(() => found && new Set(found), [found]);
  const tags = useMemo(() => tagsOf(nodes, vocabulary), [nodes, vocabulary]);
  const worth = useWorth(colour === 'advantage' || colour === 'value' ? tree : null);
  const act = useActions(tree);
  const draw = useMemo(() => withActions(drawingFor(colour, tree, worth), act), [colour, tree, worth, act]);
  const faded = useMemo(
    () => (onlyPath && selected !== null ? besidePath(nodes, selected) : null),
    [onlyPath, selected, nodes],
  );
  return (
    <div className="tree-main">
      <TreeTools
        folding={folding}
        onlyPath={onlyPath}
        onOnlyPath={(on) => selection.select({ onlyPath: on })}
      />
      <Hidable name="search">
        <SearchBar found={found} tags={tags} />
      </Hidable>
      <Hidable name="hand">
        <InterventionBar />
      </Hidable>
      <TreeDrawing
        main
        title={`Tree of prompt ${tree.prompt.index + 1}`}
        caption={`coloured by ${colour === 'entropy' ? 'surprisal' : colour}`}
        tree={tree}
        nodes={nodes}
        draw={draw}
        found={foundSet}
        focus={newest(tree, growth)}
        faded={faded}
        folding={folding.folding}
        onFold={folding.toggle}
        camera={camera}
      />
      {beside && <BesideTree tree={tree} colour={colour} camera={camera} />}
      <Hidable name="growth">
        <GrowthBar tree={tree} />
      </Hidable>
    </div>
  );
}

const loadConversation = () => import('../imported/Conversation.tsx');

export function TreeView() {
  const tree = useShownTree();
  const growth = useSelection((state) => state.growth);
  const batch = useSelection((state) => state.batch);
  const two = useSelection((state) => state.pinned !== null);
  const hasRecipe = useRun((run) => recipeOf(run) !== null);
  const isImported = useRun(({ header }) => header?.origin.kind === 'imported');
  const nodes = useMemo(() => (tree ? nodesGrown(tree, growth) : []), [tree, growth]);
  if (!tree) return <NoTree />;
  if (batch)
    return (
      <div className="view">
        <PromptBar />
        <BatchGrid />
      </div>
    );
  const { dataset, seed, index } = tree.prompt;
  return (
    <div className="view tree-view" data-two={two}>
      <PromptBar />
      <Missing view="tree" />
      <TreePane key={`${dataset} ${seed} ${index}`} tree={tree} nodes={nodes} />
      <div className="tree-side">
        {isImported && <LazyPart name="The conversation" load={loadConversation} props={{ tree }} />}
        <NodePanels tree={tree} nodes={nodes} />
        <Hidable name="hand">{hasRecipe && <HandPanel tree={tree} />}</Hidable>
        <Hidable name="expansion">{hasRecipe && <ExpansionPanel tree={tree} />}</Hidable>
      </div>
    </div>
  );
}
