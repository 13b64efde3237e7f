/** The turn looked at, and beside it the one pinned for comparing, which may be of another tree or update. */
import type { TreeState } from '../../store/run_state.ts';
import type { TurnNode } from '../../units.ts';
import { useLab, useRun, useSelection, useUpdateNumber } from '../binding.ts';
import type { Nodes } from './drawn_tree.ts';
import { NodePanel } from './NodePanel.tsx';
import { useAdvantages } from './use_advantages.ts';

interface NodePanelsProps {
  readonly tree: TreeState;
  readonly nodes: Nodes; // those on screen
}

interface PinButtonProps {
  readonly node: TurnNode;
  readonly prompt: number;
}

function PinButton({ node, prompt }: PinButtonProps) {
  const { selection } = useLab();
  const update = useUpdateNumber();
  return (
    <button
      type="button"
      className="small"
      onClick={() => selection.select({ pinned: { update, prompt, node: node.id } })}
      title="Keeps this turn to compare with; Shift and click does the same"
    >
      Pin to compare
    </button>
  );
}

function PinnedPanel() {
  const { selection } = useLab();
  const pinned = useSelection((state) => state.pinned);
  const tree = useRun((run) =>
    pinned ? (run.updates[pinned.update - 1]?.trees[pinned.prompt] ?? null) : null,
  );
  const advantages = useAdvantages(tree, pinned?.update);
  if (!pinned) return null;
  const node = tree?.nodes[pinned.node];
  const where = `pinned: update ${pinned.update}, prompt ${pinned.prompt + 1}`;
  const unpin = (
    <button type="button" className="small" onClick={() => selection.select({ pinned: null })}>
      Unpin
    </button>
  );
  if (!tree || !node)
    return (
      <section className="panel" aria-label="Pinned turn">
        <p className="small soft">The {where}, is not at hand.</p>
        {unpin}
      </section>
    );
  return <NodePanel tree={tree} node={node} advantages={advantages} where={where} action={unpin} />;
}

export function NodePanels({ tree, nodes }: NodePanelsProps) {
  const selected = useSelection((state) => state.hovered ?? state.node);
  const hasPin = useSelection((state) => state.pinned !== null);
  const node = selected === null ? undefined : nodes[selected];
  const advantages = useAdvantages(tree);
  return (
    <div className="node-panels" data-two={hasPin && node !== undefined}>
      {node ? (
        <NodePanel
          tree={tree}
          node={node}
          advantages={advantages}
          action={
            node.origin.kind === 'by-hand' ? undefined : <PinButton node={node} prompt={tree.prompt.index} />
          }
        />
      ) : (
        <p className="panel small soft">
          Point at a turn to preview it, select it to keep it, Shift and click to pin a second one; arrow keys
          walk the tree.
        </p>
      )}
      {hasPin && <PinnedPanel />}
    </div>
  );
}
