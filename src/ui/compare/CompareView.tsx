/** The Compare view: two rules on the same rollouts, every rule on one leaf, and runs side by side. */
import { useCreditRules, useLab, useSelection, useTree } from '../parts/binding.ts';
import { Missing } from '../parts/parts.tsx';
import { NoTree, PromptBar } from '../parts/PromptBar.tsx';
import { CompareRules } from './CompareRules.tsx';
import { Label } from '../parts/Term.tsx';
import { CompareRuns } from './CompareRuns.tsx';

const SUBJECTS = [
  { name: 'rules', title: 'Rules on these rollouts' },
  { name: 'runs', title: 'Runs side by side' },
] as const;

export function CompareView() {
  const { selection } = useLab();
  const subject = useSelection(({ compared }) => compared);
  const tree = useTree();
  const own = useCreditRules();
  return (
    <div className="view compare-view">
      <div className="bar" role="group" aria-label="What to compare">
        {SUBJECTS.map(({ name, title }) => (
          <button
            key={name}
            type="button"
            aria-pressed={subject === name}
            onClick={() => selection.select({ compared: name })}
          >
            <Label>{title}</Label>
          </button>
        ))}
      </div>
      <PromptBar />
      <Missing view="compare" />
      {subject === 'runs' && <CompareRuns />}
      {subject === 'rules' && (tree && own ? <CompareRules state={tree} own={own} /> : <NoTree />)}
    </div>
  );
}
