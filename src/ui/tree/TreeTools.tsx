/** What can be done with the drawing: colour, folding, path, batch, beside, export. */
import type { RunHeader, TreeState } from '../../store/run_state.ts';
import { methodTitle } from '../../store/methods.ts';
import { editSuffix } from '../../units.ts';
import { TREE_COLOURS } from '../../store/selection.ts';
import { useLab, useRun, useSelection, useUpdateNumber, useVocabulary } from '../binding.ts';
import { RewardLegend } from '../marks.tsx';
import { useKeys } from '../shell/keys.tsx';
import { sentence } from '../words.ts';
import { useColours } from './colours.ts';
import type { DrawnTree } from './drawn_tree.ts';
import type { TreeFolding } from './folding.ts';
import { saveFile, treeSvg } from './tree_export.ts';

/** The lines that tell a reader of the file where the tree comes from. */
function stampOf(
  header: RunHeader,
  update: number,
  tree: TreeState,
  colour: string,
  words: readonly string[],
): readonly string[] {
  const { algorithm, preset, seed, environment } = header.config;
  const question = sentence(tree.prompt.tokens.map((id) => words[id] ?? `#${id}`));
  const answer = sentence(tree.prompt.answer.map((id) => words[id] ?? `#${id}`));
  return [
    `${methodTitle(algorithm.name)}${editSuffix(header.config)}, preset ${preset}, ${environment}, seed ${seed}`,
    `update ${update}, prompt ${tree.prompt.index + 1} (${tree.prompt.dataset} ${tree.prompt.seed}), coloured by ${colour}`,
    `${question} Answer: ${answer}`,
    `Turnwise, run of ${header.date}`,
  ];
}

interface ExportButtonProps {
  readonly tree: TreeState;
  readonly drawn: () => DrawnTree | null;
}

function ExportButton({ tree, drawn }: ExportButtonProps) {
  const header = useRun((run) => run.header);
  const update = useUpdateNumber();
  const colour = useSelection((state) => state.colour);
  const words = useVocabulary();
  const colours = useColours();
  const save = (): void => {
    const shown = drawn();
    if (!shown || !header) return;
    const { name } = header.config.algorithm;
    const file = `tree-${name}-seed${header.config.seed}-update${update}-prompt${tree.prompt.index + 1}.svg`;
    saveFile(file, treeSvg(shown, stampOf(header, update, tree, colour, words), colours), 'image/svg+xml');
  };
  return (
    <button
      type="button"
      onClick={save}
      title="The whole tree as a vector drawing with the run's settings below"
    >
      SVG
    </button>
  );
}

interface TreeToolsProps {
  readonly tree: TreeState;
  readonly folding: TreeFolding;
  readonly onlyPath: boolean;
  readonly onOnlyPath: (on: boolean) => void;
  readonly drawn: () => DrawnTree | null;
}

export function TreeTools({ tree, folding, onlyPath, onOnlyPath, drawn }: TreeToolsProps) {
  const { selection } = useLab();
  const colour = useSelection((state) => state.colour);
  const batch = useSelection((state) => state.batch);
  const beside = useSelection((state) => state.beside);
  const selected = useSelection(({ node }) => node);
  const fold = (): void => {
    if (selected !== null) folding.toggle(selected);
  };
  useKeys([
    { key: 'c', label: 'collapse or expand the selected turn', run: fold },
    { key: 'C', label: 'collapse all', run: folding.collapseAll },
    { key: 'e', label: 'expand all', run: folding.expandAll },
    { key: 'o', label: 'only the path', run: () => onOnlyPath(!onlyPath) },
    { key: 'b', label: 'the whole batch', run: () => selection.select({ batch: !batch }) },
  ]);
  return (
    <div className="bar tree-tools">
      <div className="bar" role="group" aria-label="Colour by">
        <span className="heading">Colour by</span>
        {TREE_COLOURS.map((option) => (
          <button
            key={option}
            type="button"
            aria-pressed={colour === option}
            onClick={() => selection.select({ colour: option })}
          >
            {option}
          </button>
        ))}
      </div>
      <div className="bar" role="group" aria-label="Show">
        <button type="button" aria-pressed={batch} onClick={() => selection.select({ batch: !batch })}>
          batch
        </button>
        <button type="button" aria-pressed={beside} onClick={() => selection.select({ beside: !beside })}>
          other update
        </button>
        <button
          type="button"
          aria-pressed={onlyPath}
          disabled={selected === null}
          onClick={() => onOnlyPath(!onlyPath)}
        >
          only path
        </button>
        <button type="button" disabled={selected === null} onClick={fold}>
          fold
        </button>
        <button type="button" onClick={folding.expandAll}>
          expand all
        </button>
        <ExportButton tree={tree} drawn={drawn} />
      </div>
      <RewardLegend />
    </div>
  );
}
