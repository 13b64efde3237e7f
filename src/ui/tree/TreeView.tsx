/** The Tree view: one prompt's tree as it grows or is replayed, why turns were expanded, and a turn in full. */
import { useMemo, useState } from 'react';
import { nodesGrown } from '../../store/reading.ts';
import { useSelection, useTree } from '../binding.ts';
import { RewardLegend } from '../marks.tsx';
import { ENCODINGS, drawingFor, type Encoding } from './encodings.ts';
import { ExpansionPanel } from './ExpansionPanel.tsx';
import { GrowthBar } from './GrowthBar.tsx';
import { NodePanel } from './NodePanel.tsx';
import { PromptBar } from './PromptBar.tsx';
import { TreeDrawing } from './TreeDrawing.tsx';

export function TreeView() {
  const tree = useTree();
  const growth = useSelection((state) => state.growth);
  const selected = useSelection((state) => state.hovered ?? state.node);
  const [encoding, setEncoding] = useState<Encoding>('entropy');
  const nodes = useMemo(() => (tree ? nodesGrown(tree, growth) : []), [tree, growth]);
  if (!tree) return <p className="empty">No tree yet: press Play.</p>;
  const node = selected === null ? undefined : nodes[selected];
  return (
    <div className="view tree-view">
      <PromptBar />
      <div className="tree-main">
        <div className="bar" role="group" aria-label="Colour by">
          <span className="heading">Colour by</span>
          {ENCODINGS.map((option) => (
            <button
              key={option}
              type="button"
              aria-pressed={encoding === option}
              onClick={() => setEncoding(option)}
            >
              {option}
            </button>
          ))}
          <RewardLegend />
        </div>
        <TreeDrawing
          title={`Tree of prompt ${tree.prompt.index + 1}`}
          tree={tree}
          nodes={nodes}
          draw={drawingFor(encoding, tree, tree.credit)}
        />
        <GrowthBar tree={tree} />
      </div>
      <div className="tree-side">
        {node ? (
          <NodePanel tree={tree} node={node} credit={tree.credit} />
        ) : (
          <p className="panel small soft">
            Point at a turn to preview it, select it to keep it; arrow keys walk the tree.
          </p>
        )}
        <ExpansionPanel tree={tree} />
      </div>
    </div>
  );
}
