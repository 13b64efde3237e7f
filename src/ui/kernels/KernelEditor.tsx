/** The loss kernel, open: edited in place, compiled as it is written, its gradient checked, and a run started with it. */
import { recipeOf } from '../../store/record/reading.ts';
import { useEffect, useState } from 'react';
import type { KernelDescription, KernelTrial, TextProblem } from '../../store/ask/inspection.ts';
import { gradientVerdict, withKernel, type GradientVerdict } from '../../units.ts';
import { useInspection, useLab, useRun, useTransport } from '../parts/binding.ts';
import { LazyPart } from '../parts/Boundary.tsx';
import { countWords, formatMs, formatNumber } from '../parts/format.ts';
import type { BatchChoice } from './BatchPicker.tsx';
import { failures, GradientTable } from './GradientTable.tsx';
import { CancelCheck } from './KernelCheck.tsx';
import { sayChangedLines } from './line_diff.ts';

// A kernel's text that a person is writing, kept by the browser over a reload.

const key = (kernel: string): string => `turnwise-kernel-${kernel}`;

/** @returns null where nothing was kept, or the browser keeps nothing */
export function keptText(kernel: string): string | null {
  try {
    return localStorage.getItem(key(kernel));
  } catch {
    return null;
  }
}

/**
 * @param text null forgets it
 * @returns why it could not be kept; null where it was
 */
export function keepText(kernel: string, text: string | null): string | null {
  try {
    if (text === null) localStorage.removeItem(key(kernel));
    else localStorage.setItem(key(kernel), text);
    return null;
  } catch (error) {
    const full = error instanceof DOMException && error.name === 'QuotaExceededError';
    return full
      ? 'The browser’s storage for this page is full: a reload brings back what was kept before, not this text. Copy it, or clear the site’s data.'
      : 'The browser keeps nothing for this page: this text is lost with a reload.';
  }
}

/** CodeMirror is a file of its own, fetched when the editor opens; an object, so that tests can have the fetch fail. */
export const codeEditor = { load: () => import('./CodeEditor.tsx') };
const COMPILE_AFTER_MS = 400; // of the last key
const NAME = 'policy_loss';
const AS_WRITTEN = { name: NAME, batch: null, checkGradient: false } as const; // only compiled
const NO_PROBLEMS: readonly TextProblem[] = [];

const VERDICT_WORDS: Readonly<Record<GradientVerdict, string>> = {
  agrees: '✓ The edited gradient is that of the edited loss',
  differs: '✕ The edited gradient is not that of the edited loss',
  unchecked: 'No token has a gradient that can be checked',
};

function Problems({
  problems,
  onGo,
}: {
  readonly problems: readonly TextProblem[];
  readonly onGo: (line: number) => void;
}) {
  return (
    <div role="status" aria-label="Compiler">
      {problems.length === 0 ? (
        <p className="small">✓ It compiles on this device, and keeps its contract.</p>
      ) : (
        <ul className="kernel-problems" aria-label="Problems of the text">
          {problems.map(({ line, column, message }) => (
            <li key={`${line}:${column}:${message}`} className="small">
              {line > 0 ? (
                <button type="button" className="small" onClick={() => onGo(line)}>
                  Line {line}
                </button>
              ) : (
                'The text as a whole'
              )}
              : {message}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Trial({ trial }: { readonly trial: KernelTrial }) {
  const { gradients, batch, loss, ms } = trial;
  if (!gradients) return null;
  const ground = batch
    ? `update ${batch.update}, mini-batch ${batch.minibatch + 1}`
    : 'the catalogue’s cases';
  return (
    <div className="kernel-trial">
      <p role="status">
        {VERDICT_WORDS[gradientVerdict(gradients)]}, on {ground}. {formatMs(ms)}.
      </p>
      {loss && (
        <p className="small">
          Σ weight·tokenLoss is {formatNumber(loss.edited, 6)} with this text and{' '}
          {formatNumber(loss.original, 6)} with the original; loss or gradient of{' '}
          {countWords(loss.changed, 'token')} came out differently.
        </p>
      )}
      {gradients
        .toSorted((a, b) => failures(b) - failures(a))
        .map((check) => (
          <GradientTable key={check.title} check={check} />
        ))}
    </div>
  );
}

function Compiling({ text }: { readonly text: string }) {
  const { inspection } = useLab();
  const hasFailed = useInspection(({ uncompiled }) => uncompiled === text);
  if (!hasFailed) return <p className="small soft">Compiling …</p>;
  return (
    <p className="small">
      The compiler gave no answer.{' '}
      <button
        type="button"
        className="small"
        onClick={() => inspection.tryKernel({ ...AS_WRITTEN, source: text })}
      >
        Compile again
      </button>
    </p>
  );
}

/** Text that follows the keys, is kept by the browser, and is compiled when they rest. */
function useText(original: string, own: string | null) {
  const [text, setText] = useState(() => keptText(NAME) ?? own ?? original);
  const [unkept, setUnkept] = useState<string | null>(null);
  const { inspection } = useLab();
  const engine = useTransport((transport) => transport.engine.kind);
  useEffect(() => {
    if (engine !== 'ready') return;
    const compile = (): void => inspection.tryKernel({ ...AS_WRITTEN, source: text });
    const timer = setTimeout(compile, COMPILE_AFTER_MS);
    return () => clearTimeout(timer);
  }, [text, engine, inspection]);
  const change = (next: string): void => {
    setText(next);
    setUnkept(keepText(NAME, next === original ? null : next));
  };
  return { text, change, unkept };
}

interface KernelEditorProps {
  readonly kernel: KernelDescription;
  readonly choice: BatchChoice | null;
}

export function KernelEditor({ kernel, choice }: KernelEditorProps) {
  const { inspection, transport } = useLab();
  const config = useRun(recipeOf);
  const { text, change, unkept } = useText(kernel.source, config?.editedKernel?.source ?? null);
  const [goTo, setGoTo] = useState<{ readonly line: number } | null>(null);
  const engine = useTransport((state) => state.engine.kind);
  const asking = useInspection((state) => state.asking);
  const compiled = useInspection((state) => state.compiled);
  const tried = useInspection((state) => state.kernelTrial);
  const isCompiled = compiled?.source === text;
  const problems = isCompiled ? compiled.problems : NO_PROBLEMS;
  const trial = tried?.source === text ? tried : null;
  const changes = sayChangedLines(kernel.source, text);
  const runs = config?.algorithm.loss.surrogate === 'clip' || config?.algorithm.loss.surrogate === 'gate';
  const canRun = engine === 'ready' && isCompiled && problems.length === 0;
  const run = (): void => {
    if (!config) return;
    const edit = {
      name: NAME,
      source: text,
      gradientCheck: gradientVerdict(trial?.gradients ?? null),
    } as const;
    transport.setDraft(withKernel(config, changes === null ? null : edit));
    transport.restart();
  };
  return (
    <section className="kernel-editor" aria-label="Edit policy_loss">
      <p className="small">
        Its bindings, params and entry point stay; all else may change. {changes ?? 'Not edited yet'}.
        {config?.editedKernel && ' The run on screen used an edited text.'}
      </p>
      <LazyPart
        name="The editor"
        load={() => codeEditor.load()}
        props={{
          label: 'WGSL of policy_loss, to edit',
          text,
          original: kernel.source,
          problems,
          goTo,
          onChange: change,
        }}
      />
      {unkept && (
        <p role="alert" className="small">
          {unkept}
        </p>
      )}
      {engine === 'ready' && !isCompiled && <Compiling text={text} />}
      {isCompiled && <Problems problems={problems} onGo={(line) => setGoTo({ line })} />}
      <div className="bar">
        <button
          type="button"
          disabled={!canRun || asking !== null}
          onClick={() =>
            inspection.tryKernel({
              name: NAME,
              source: text,
              batch: choice?.get() ?? null,
              checkGradient: true,
            })
          }
        >
          {asking === 'try-kernel' ? 'Checking …' : 'Check its gradient now'}
        </button>
        <CancelCheck of="try-kernel" />
        <button type="button" className="primary" disabled={!canRun || !runs} onClick={run}>
          {changes === null ? 'Run with the original' : 'Run with this kernel'}
        </button>
        <button type="button" disabled={changes === null} onClick={() => change(kernel.source)}>
          Reset to the original
        </button>
        {config?.editedKernel && config.editedKernel.source !== text && (
          <button type="button" onClick={() => change(config.editedKernel?.source ?? kernel.source)}>
            Take this run’s text
          </button>
        )}
      </div>
      <p className="small soft">
        {engine === 'ready'
          ? runs
            ? 'A run with an edited kernel has the settings and seed of the run on screen, and is labelled as such wherever it appears. One whose gradient check fails may run too; its label says so.'
            : 'The method on screen computes its loss with another kernel, so a run of it would not use this text.'
          : 'Compiling, checking and running need WebGPU; the text is kept meanwhile.'}
      </p>
      {trial && <Trial trial={trial} />}
    </section>
  );
}
