/** Which parts of a tree a person has put away. */
import { useCallback, useMemo, useState } from 'react';
import type { Folds } from '../../store/place/selection.ts';
import type { NodeId } from '../../units.ts';
import { useLab, useSelection } from '../parts/binding.ts';
import type { Folding } from './tree_layout.ts';
import { pathOf, type Nodes } from './drawn_tree.ts';

/** Siblings beyond this many share one row until it is opened. */
export const STACK_BEYOND = 8;

const toggled = (set: ReadonlySet<NodeId>, id: NodeId): ReadonlySet<NodeId> => {
  const next = new Set(set);
  if (!next.delete(id)) next.add(id);
  return next;
};

interface Folded {
  readonly collapsed: ReadonlySet<NodeId>;
  readonly opened: ReadonlySet<NodeId>; // parents whose children are never stacked
  readonly stackBeyond: number;
}

const NONE: ReadonlySet<NodeId> = new Set();
const START: Folded = { collapsed: NONE, opened: NONE, stackBeyond: STACK_BEYOND };

const foldedOf = ({ collapsed, opened, unstacked }: Folds): Folded => ({
  collapsed: new Set(collapsed),
  opened: new Set(opened),
  stackBeyond: unstacked ? Infinity : STACK_BEYOND,
});
const foldsOf = ({ collapsed, opened, stackBeyond }: Folded): Folds => ({
  collapsed: [...collapsed],
  opened: [...opened],
  unstacked: stackBeyond === Infinity,
});

export interface TreeFolding {
  readonly folding: Folding;
  readonly toggle: (id: NodeId) => void;
  readonly expandAll: () => void;
  readonly collapseAll: () => void; // all but the first turns
}

/**
 * What the selected node needs to be seen is open, whatever was put away: a search or a link leads to it.
 * @param nodes those on screen
 */
export function useFolding(nodes: Nodes): TreeFolding {
  const { selection } = useLab();
  const selected = useSelection(({ node }) => node);
  const folds = useSelection((state) => state.folds);
  const folded = useMemo(() => foldedOf(folds), [folds]);
  const folding = useMemo((): Folding => {
    const path = pathOf(nodes, selected);
    const above = (id: NodeId): boolean => path.has(id) && id !== selected;
    const isHidden = folded.collapsed.size > 0 && [...folded.collapsed].some(above);
    const collapsed = isHidden ? new Set([...folded.collapsed].filter((id) => !above(id))) : folded.collapsed;
    const inStack = [...path].filter((id) => isStacked(nodes, id, folded));
    return { ...folded, collapsed, revealed: inStack.length > 0 ? new Set(inStack) : NONE };
  }, [nodes, selected, folded]);
  const stable = useStable(folding);
  const toggle = useCallback(
    (id: NodeId): void => {
      const children = nodes[id]?.children ?? [];
      if (children.length === 0) return;
      const { node, folds } = selection.getState();
      const old = foldedOf(folds);
      if (!old.collapsed.has(id) && children.length > old.stackBeyond && !old.opened.has(id)) {
        selection.select({ folds: foldsOf({ ...old, opened: toggled(old.opened, id) }) }); // before its subtree closes
        return;
      }
      if (node !== null && node !== id && pathOf(nodes, node).has(id)) selection.select({ node: id });
      selection.select({ folds: foldsOf({ ...old, collapsed: toggled(old.collapsed, id) }) });
    },
    [nodes, selection],
  );
  const expandAll = useCallback(
    () => selection.select({ folds: foldsOf({ ...START, stackBeyond: Infinity }) }),
    [selection],
  );
  const collapseAll = useCallback(() => {
    const firsts = (nodes[0]?.children ?? []).filter((id) => (nodes[id]?.children.length ?? 0) > 0);
    selection.select({ node: null, folds: foldsOf({ ...START, collapsed: new Set(firsts) }) });
  }, [nodes, selection]);
  return { folding: stable, toggle, expandAll, collapseAll };
}

function isStacked(nodes: Nodes, id: NodeId, { stackBeyond, opened }: Folded): boolean {
  const parent = nodes[id]?.parent ?? null;
  if (parent === null || opened.has(parent)) return false;
  return (nodes[parent]?.children.indexOf(id) ?? -1) >= stackBeyond;
}

const equalSets = (a: ReadonlySet<NodeId>, b: ReadonlySet<NodeId>): boolean =>
  a === b || (a.size === b.size && [...a].every((id) => b.has(id)));

/** The same object as long as it says the same: selecting must not lay out a large tree again. */
function useStable(folding: Folding): Folding {
  const [last, setLast] = useState(folding);
  const same =
    equalSets(last.collapsed, folding.collapsed) &&
    equalSets(last.revealed, folding.revealed) &&
    equalSets(last.opened, folding.opened) &&
    last.stackBeyond === folding.stackBeyond;
  if (!same) setLast(folding);
  return same ? last : folding;
}
