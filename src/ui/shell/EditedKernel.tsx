/** Said wherever the run on screen is named: its loss came from a kernel that a person edited. */
import { editLabel, type EditedKernel } from '../../units.ts';
import { useRun } from '../binding.ts';

const useEdit = (): EditedKernel | null => useRun((run) => run.header?.config.editedKernel ?? null);

export function EditedBadge() {
  const edit = useEdit();
  return edit && <span className="edited-badge small">{editLabel(edit)}</span>;
}

/** What of the page is the edited kernel's, and what is not. */
export function EditedNotice() {
  const edit = useEdit();
  if (!edit) return null;
  return (
    <p className="notice" role="status">
      This run trained with an {editLabel(edit)}: losses, gradients and steps are what that text gave. Bands,
      clip states, clip fractions, formulas and what-ifs are computed with the unedited formula. Profile shows
      the text.
    </p>
  );
}

/** The same on a method's card, for the settings that it belongs to. */
export function EditedLine({ edit }: { readonly edit: EditedKernel | undefined }) {
  return (
    edit && (
      <p className="small edited-note">With an {editLabel(edit)} in place of the method’s own loss kernel.</p>
    )
  );
}
