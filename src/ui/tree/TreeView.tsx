/** The Tree view: one prompt's tree as it grows or is replayed, or all trees of an update; why turns were expanded. */
import { useMemo, useRef, useState } from 'react';
import { joinerOf, nodesGrown, recipeOf } from '../../store/record/reading.ts';
import type { TreeState } from '../../store/record/run_state.ts';
import type { NodeId } from '../../units.ts';
import { pathOf, type DrawnTree, type Nodes } from '../drawing/drawn_tree.ts';
import { drawingFor } from '../drawing/encodings.ts';
import { useFolding } from '../drawing/folding.ts';
import { TreeDrawing } from '../drawing/TreeDrawing.tsx';
import { createCamera } from '../drawing/use_camera.ts';
import { useWorth, useLab, useRun, useSelection, useVocabulary } from '../parts/binding.ts';
import { Missing } from '../parts/parts.tsx';
import { NoTree, PromptBar } from '../parts/PromptBar.tsx';
import { BatchGrid } from './BatchGrid.tsx';
import { BesideTree } from './BesideTree.tsx';
import { ExpansionPanel } from './ExpansionPanel.tsx';
import { GrowthBar } from './GrowthBar.tsx';
import { useShownTree } from './hand_words.ts';
import { HandPanel } from './HandPanel.tsx';
import { InterventionBar } from './InterventionBar.tsx';
import { NodePanels } from './NodePanel.tsx';
import { findTurns, SearchBar, tagsOf, TreeTools } from './TreeTools.tsx';

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
  const shown = useRef<DrawnTree | null>(null);
  const folding = useFolding(nodes);
  const found = useMemo(
    () => findTurns(tree, nodes, query, vocabulary, joiner),
    [tree, nodes, query, vocabulary, joiner],
  );
  const foundSet = useMemo(() => found && new Set(found), [found]);
  const tags = useMemo(() => tagsOf(nodes, vocabulary), [nodes, vocabulary]);
  const worth = useWorth(colour === 'advantage' || colour === 'value' ? tree : null);
  const draw = useMemo(() => drawingFor(colour, tree, worth), [colour, tree, worth]);
  const faded = useMemo(
    () => (onlyPath && selected !== null ? besidePath(nodes, selected) : null),
    [onlyPath, selected, nodes],
  );
  return (
    <div className="tree-main">
      <TreeTools
        tree={tree}
        folding={folding}
        onlyPath={onlyPath}
        onOnlyPath={(on) => selection.select({ onlyPath: on })}
        drawn={() => shown.current}
      />
      <SearchBar found={found} tags={tags} />
      <InterventionBar />
      <TreeDrawing
        main
        title={`Tree of prompt ${tree.prompt.index + 1}`}
        tree={tree}
        nodes={nodes}
        draw={draw}
        found={foundSet}
        focus={newest(tree, growth)}
        faded={faded}
        folding={folding.folding}
        onFold={folding.toggle}
        camera={camera}
        onLayout={(drawn) => {
          shown.current = drawn;
        }}
      />
      {beside && <BesideTree tree={tree} colour={colour} camera={camera} />}
      <GrowthBar tree={tree} />
    </div>
  );
}

export function TreeView() {
  const tree = useShownTree();
  const growth = useSelection((state) => state.growth);
  const batch = useSelection((state) => state.batch);
  const two = useSelection((state) => state.pinned !== null);
  const hasRecipe = useRun((run) => recipeOf(run) !== null);
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
        <NodePanels tree={tree} nodes={nodes} />
        {hasRecipe && <HandPanel tree={tree} />}
        {hasRecipe && <ExpansionPanel tree={tree} />}
      </div>
    </div>
  );
}
