/** A kernel whose text a person changed for a run, and how such a run is named wherever it appears. */

/** Kernels that a run may bring a text of its own for. */
export const EDITABLE_KERNELS = ['policy_loss'] as const;
export type EditableKernel = (typeof EDITABLE_KERNELS)[number];

/** What finite differences of its loss said of its gradient. */
export const GRADIENT_VERDICTS = ['agrees', 'differs', 'unchecked'] as const;
export type GradientVerdict = (typeof GRADIENT_VERDICTS)[number];

const VERDICT_WORDS: Readonly<Record<GradientVerdict, string>> = {
  agrees: 'gradient checked',
  differs: 'gradient check failed',
  unchecked: 'gradient not checked',
};

/** Tokens of a gradient check by what was found; those left out count for nothing. */
interface CheckCounts {
  readonly counts: Readonly<Record<'agrees' | 'differs' | 'not-finite', number>>;
}

/** @param checks null where none was made; one that judged no token says nothing either */
export function gradientVerdict(checks: readonly CheckCounts[] | null): GradientVerdict {
  const found = checks ?? [];
  if (found.some(({ counts }) => counts.differs + counts['not-finite'] > 0)) return 'differs';
  return found.some(({ counts }) => counts.agrees > 0) ? 'agrees' : 'unchecked';
}

/** Stands in for the lab's own text; bindings, params and entry point are those of the kernel. */
export interface EditedKernel {
  readonly name: EditableKernel;
  readonly source: string; // WGSL
  readonly gradientCheck: GradientVerdict; // before the run
}

/** Six hex digits of a text (FNV-1a over its UTF-16 units): tells two edits apart, guards against nothing. */
export function textMark(text: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return (hash >>> 8).toString(16).padStart(6, '0');
}

/** A configuration with an edited kernel, or without one. */
export function withKernel<Config extends { readonly editedKernel?: EditedKernel }>(
  config: Config,
  editedKernel: EditedKernel | null,
): Config {
  const own: Omit<Config, 'editedKernel'> & { editedKernel?: EditedKernel } = { ...config };
  if (editedKernel) own.editedKernel = editedKernel;
  else delete own.editedKernel;
  return own as Config; // all of its other fields, and this one as it may be
}

/** How a run with an edited kernel is labelled, e.g. `edited policy_loss #03fa9c (gradient check failed)`. */
export const editLabel = ({ name, source, gradientCheck }: EditedKernel): string =>
  `edited ${name} #${textMark(source)} (${VERDICT_WORDS[gradientCheck]})`;

/** That label behind a comma, to end a title with; nothing for a run on the lab's own kernels. */
export const editSuffix = ({ editedKernel }: { readonly editedKernel?: EditedKernel }): string =>
  editedKernel ? `, ${editLabel(editedKernel)}` : '';
