/** An error in five plain parts. Dismissing hides it; the run stays. */
import { useLab, useRun } from '../binding.ts';

export function ErrorBanner() {
  const failure = useRun((run) => run.failure);
  const { run } = useLab();
  if (!failure) return null;
  const { what, where, got, wanted, next } = failure;
  return (
    <div className="error-banner" role="alert">
      <p>
        <strong>{what}.</strong> {next}
      </p>
      <dl>
        <dt>Where</dt>
        <dd>{where}</dd>
        <dt>Got</dt>
        <dd>{got}</dd>
        <dt>Wanted</dt>
        <dd>{wanted}</dd>
      </dl>
      <button type="button" onClick={run.dismissFailure}>
        Dismiss
      </button>
    </div>
  );
}
