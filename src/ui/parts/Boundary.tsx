/** Stands round a part of the page: an error while it is drawn leaves all else, and the run, as they are. */
import {
  lazy,
  Suspense,
  useState,
  type ComponentType,
  type LazyExoticComponent,
  type ReactNode,
} from 'react';
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

// A part of the page whose code is a file of its own, fetched when it is first shown; the fetch may fail.

type Load<Props> = () => Promise<{ readonly default: ComponentType<Props> }>;

/** The file did not come: the page is offline, or the site has files of other names since. */
class PartMissingError extends Error {}

const partOf = <Props extends object>(load: Load<Props>): LazyExoticComponent<ComponentType<Props>> =>
  lazy(() =>
    load().catch((cause: unknown) => {
      throw new PartMissingError(messageOf(cause), { cause });
    }),
  );

interface LazyPartProps<Props extends object> {
  readonly name: string; // as a sentence begins: 'The editor'
  readonly load: Load<Props>;
  readonly props: Props;
}

/** Errors of the part itself, once it is there, go to the boundary above. */
export function LazyPart<Props extends object>({ name, load, props }: LazyPartProps<Props>) {
  const [part, setPart] = useState(() => ({ Part: partOf(load) }));
  const fallback = ({ error, resetErrorBoundary }: FallbackProps) => {
    if (!(error instanceof PartMissingError)) throw error;
    return (
      <div className="boundary" role="alert">
        <p>
          <strong>{name} could not be loaded.</strong> The rest of the page stays, and the run goes on. Look
          whether you are online and try again; if that does not help, the site was renewed since this page
          was opened: reload the page, which ends a live run.
        </p>
        <p className="small">
          Got: <code>{error.message}</code>
        </p>
        <div className="bar">
          <button type="button" onClick={() => resetErrorBoundary()}>
            Try again
          </button>
          <button type="button" onClick={() => location.reload()}>
            Reload the page
          </button>
        </div>
      </div>
    );
  };
  return (
    // React remembers that a lazy part failed, so that trying again takes a new one.
    <ErrorBoundary onReset={() => setPart({ Part: partOf(load) })} fallbackRender={fallback}>
      <Suspense fallback={<p className="small">{name} is loading …</p>}>
        <part.Part {...props} />
      </Suspense>
    </ErrorBoundary>
  );
}
