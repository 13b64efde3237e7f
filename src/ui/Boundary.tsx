/** Stands round a part of the page: an error while it is drawn leaves all else, and the run, as they are. */
import type { ReactNode } from 'react';
import { ErrorBoundary, type FallbackProps } from 'react-error-boundary';

interface BoundaryProps {
  readonly name: string; // what is not shown, as the sentence begins: 'The Tree view'
  /** Drawn again when one of these changes: another place may be without the error. */
  readonly resetKeys?: readonly unknown[];
  /** Ways out beside trying again: buttons. */
  readonly ways?: ReactNode;
  readonly children: ReactNode;
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export function Boundary({ name, resetKeys = [], ways, children }: BoundaryProps) {
  const fallback = ({ error, resetErrorBoundary }: FallbackProps) => (
    <div className="boundary" role="alert">
      <p>
        <strong>{name} cannot be shown: drawing it met an error.</strong> All else stays, and the run goes on.
        Try again, or go to another update, prompt or view; if it comes again, report this message with the
        browser and its version.
      </p>
      <p className="small">
        Got: <code>{messageOf(error)}</code>
      </p>
      <div className="bar">
        <button type="button" onClick={() => resetErrorBoundary()}>
          Try again
        </button>
        {ways}
      </div>
    </div>
  );
  return (
    <ErrorBoundary resetKeys={[...resetKeys]} fallbackRender={fallback}>
      {children}
    </ErrorBoundary>
  );
}
