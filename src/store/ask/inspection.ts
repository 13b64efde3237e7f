/** A person's questions to the engine, and its last answers. They are of the session, not of the run. */
import { createStore, type StoreApi } from 'zustand/vanilla';
import type {
  GradientAngles,
  GradientQuestion,
  HeldOut,
  HeldOutQuestion,
  KernelBatch,
  KernelCheck,
  KernelDescription,
  KernelTrial,
  ProfiledUpdate,
  ScoredRollout,
  StepCheck,
  TokenPush,
  TokenQuestion,
  TryKernel,
} from '../../protocol/protocol.ts';
import type { AnswerTo, Ask, Question, QuestionName, QuestionNamed } from '../../train/inspect/index.ts';
import { LabError, NO_SIGNALS, type CreditConfig, type ErrorReport, type RunConfig } from '../../units.ts';
import { rolloutTree } from '../record/reading.ts';
import type { UpdateState } from '../record/run_state.ts';

export type {
  BatchPlace,
  CheckedStep,
  CheckedToken,
  GradientCheck,
  KernelCheck,
  KernelDescription,
  KernelTrial,
  TextProblem,
  TokenAlternative,
  TokenPush,
} from '../../protocol/protocol.ts';
export type { TokenVerdict } from '../../algo/loss/loss_gradient.ts';

const KEPT_PROFILES = 10;

export interface InspectionState {
  readonly tokenPush: TokenPush | null;
  readonly stepCheck: StepCheck | null;
  readonly profiles: readonly ProfiledUpdate[]; // of the live run; the newest few, oldest first
  readonly gradients: GradientAngles | null;
  readonly heldOut: ({ readonly run: string } & HeldOut) | null; // the last; run by date
  readonly footprint: ({ readonly config: RunConfig } & AnswerTo<QuestionNamed<'estimate'>>) | null; // config as asked
  readonly kernels: readonly KernelDescription[] | null; // once they were listed
  readonly kernelChecks: Readonly<Record<string, KernelCheck>>; // the last of each kernel
  readonly compiled: Pick<KernelTrial, 'source' | 'problems'> | null; // the text that was compiled last
  readonly kernelTrial: KernelTrial | null; // the last whose gradient was asked for
  readonly uncompiled: string | null; // the text whose compilation came to nothing, as when the device was lost
  readonly asking: QuestionName | null; // the question that waits; compilations and estimates wait beside it
  readonly cancelled: boolean; // the last question, by the person
}

export interface Inspection extends StoreApi<InspectionState> {
  /** Waits for the profile of the next update. Both resolve when nothing is waited for any more, whatever came of it. */
  readonly awaitProfile: (signal: AbortSignal) => Promise<void>;
  /** Waits for the check of the steps of an update, the next by default. */
  readonly awaitStepCheck: (update: number | undefined, signal: AbortSignal) => Promise<void>;
  readonly inspectToken: (question: TokenQuestion) => void;
  readonly listKernels: () => void;
  /** @param batch null: on the catalogue's cases */
  readonly checkKernel: (name: string, batch?: KernelBatch | null) => void;
  readonly tryKernel: (question: TryKernel) => void;
  /** What a configuration would need of the device; one that is not answered yet gives way to it. */
  readonly estimate: (config: RunConfig) => void;
  /** The angles between the gradients of several rules. */
  readonly compareGradients: (question: GradientQuestion) => void;
  /** Scores of the weights after an update. @param run of the question, by date */
  readonly scoreHeldOut: (run: string, question: HeldOutQuestion) => void;
  /** Another run is on screen: profiles were of the one before. */
  readonly clear: () => void;
  /** Nobody waits for the answer any more: the engine may break off. */
  readonly cancel: () => void;
}

/** What to tell a person of a question that failed; null where nobody waits for it any more. */
export function failureOf(error: unknown, { aborted }: AbortSignal): ErrorReport | null {
  if (aborted || (error instanceof DOMException && error.name === 'AbortError')) return null; // a replay was cancelled
  if (error instanceof LabError) return error.report;
  return {
    what: 'The engine gave no answer',
    where: 'page',
    got: String(error),
    wanted: 'an answer',
    next: 'Ask again.',
  };
}

/** @param report shows a person what went wrong with a question; the run is as it was */
export function createInspection(ask: Ask, report: (failure: ErrorReport) => void): Inspection {
  const store = createStore<InspectionState>(() => ({
    tokenPush: null,
    stepCheck: null,
    profiles: [],
    gradients: null,
    heldOut: null,
    footprint: null,
    kernels: null,
    kernelChecks: {},
    compiled: null,
    kernelTrial: null,
    uncompiled: null,
    asking: null,
    cancelled: false,
  }));
  let last = new AbortController(); // of the question that `asking` names
  let drafted = new AbortController(); // of the estimate
  let typed = new AbortController(); // of the compilation

  /** One question at a time: the buttons of the others wait with it. */
  const put = <Asked extends Question>(
    question: Asked,
    keep: (answer: AnswerTo<Asked>) => Partial<InspectionState>,
  ): void => {
    const { signal } = (last = new AbortController());
    store.setState({ asking: question.kind, cancelled: false });
    ask(question, signal).then(
      (answer) => store.setState({ ...keep(answer), asking: null }),
      (error: unknown) => {
        const failure = failureOf(error, signal);
        if (!signal.aborted) store.setState({ asking: null });
        if (failure) report(failure);
      },
    );
  };
  /** For what an update to come will give: other questions are asked meanwhile. */
  const wait = <Asked extends Question>(
    question: Asked,
    signal: AbortSignal,
    keep: (answer: AnswerTo<Asked>) => Partial<InspectionState>,
  ): Promise<void> =>
    ask(question, signal).then(
      (answer) => store.setState(keep(answer)),
      (error: unknown) => {
        const failure = failureOf(error, signal);
        if (failure) report(failure);
      },
    );
  /** While a text is written: no other question waits for it, and the text after it takes its place. */
  const compile = (question: { readonly kind: 'try-kernel' } & TryKernel): void => {
    typed.abort();
    const { signal } = (typed = new AbortController());
    store.setState({ uncompiled: null });
    ask(question, signal).then(
      (compiled) => store.setState({ compiled }),
      (error: unknown) => {
        const failure = failureOf(error, signal);
        if (!failure) return;
        store.setState({ uncompiled: question.source });
        report(failure);
      },
    );
  };
  return {
    ...store,
    awaitProfile: (signal) =>
      wait({ kind: 'profile' }, signal, (profile) => ({
        profiles: [...store.getState().profiles, profile].slice(-KEPT_PROFILES),
      })),
    awaitStepCheck: (update, signal) =>
      wait({ kind: 'check-steps', ...(update !== undefined && { update }) }, signal, (stepCheck) => ({
        stepCheck,
      })),
    inspectToken: (question) => put({ kind: 'inspect-token', ...question }, (tokenPush) => ({ tokenPush })),
    listKernels: () => put({ kind: 'list-kernels' }, (kernels) => ({ kernels })),
    checkKernel: (name, batch = null) =>
      put({ kind: 'check-kernel', name, ...(batch && { batch }) }, (check) => ({
        kernelChecks: { ...store.getState().kernelChecks, [check.kernel]: check },
      })),
    tryKernel(question) {
      const asked = { kind: 'try-kernel', ...question } as const;
      if (!question.checkGradient) return compile(asked);
      put(asked, (trial) => {
        const { compiled } = store.getState(); // perhaps of a later text, written while this one was checked
        return {
          kernelTrial: trial,
          compiled: compiled && compiled.source !== trial.source ? compiled : trial,
        };
      });
    },
    estimate(config) {
      drafted.abort();
      const { signal } = (drafted = new AbortController());
      ask({ kind: 'estimate', config }, signal).then(
        (footprint) => store.setState({ footprint: { config, ...footprint } }),
        () => undefined, // the engine is gone, which is said without it
      );
    },
    compareGradients: (question) =>
      put({ kind: 'compare-gradients', ...question }, (gradients) => ({ gradients })),
    scoreHeldOut: (run, question) =>
      put({ kind: 'held-out', ...question }, (heldOut) => ({ heldOut: { run, ...heldOut } })),
    clear: () => store.setState({ profiles: [] }),
    cancel() {
      store.setState({ asking: null, cancelled: true });
      last.abort();
    },
  };
}

// What the engine is asked when the gradients of several rules are to be compared. Pure.

/** @returns null while a tree of the update grows or has no rewards */
export function gradientQuestion(
  config: RunConfig,
  { update, trees }: UpdateState,
  rules: readonly CreditConfig[],
): GradientQuestion | null {
  const rollouts = trees.flatMap((state): ScoredRollout[] => {
    const tree = rolloutTree(state);
    if (!tree || !state.rewards) return [];
    return [{ tree, rewards: state.rewards, signals: state.signals ?? NO_SIGNALS }];
  });
  return rollouts.length === 0 || rollouts.length < trees.length ? null : { config, update, rollouts, rules };
}
