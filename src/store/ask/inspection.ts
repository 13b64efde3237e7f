/** A person's questions to the engine, and its last answers. They are of the session, not of the run. */
import { createStore, type StoreApi } from 'zustand/vanilla';
import type {
  GradientQuestion,
  InspectionEvent,
  KernelBatch,
  KernelCheck,
  KernelTrial,
  RunCommand,
  RunEvent,
  ScoredRollout,
  TokenQuestion,
  TryKernel,
} from '../../protocol/protocol.ts';
import { NO_SIGNALS, type CreditConfig, type RunConfig } from '../../units.ts';
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

type Answer<Kind extends InspectionEvent['kind']> = Extract<InspectionEvent, { kind: Kind }>;

export interface InspectionState {
  readonly tokenPush: Answer<'token-push'> | null;
  readonly stepCheck: Answer<'step-check'> | null;
  readonly kernels: Answer<'kernels'>['kernels'] | null; // once they were listed
  readonly kernelChecks: Readonly<Record<string, KernelCheck>>; // the last of each kernel
  readonly compiled: Pick<KernelTrial, 'source' | 'problems'> | null; // the text that was compiled last
  readonly kernelTrial: KernelTrial | null; // the last whose gradient was asked for
  readonly compiling: string | null; // the text whose compilation is awaited
  readonly uncompiled: string | null; // the text whose compilation came to nothing, as when the device was lost
  readonly asking: InspectionEvent['kind'] | null; // the answer that is awaited
  readonly cancelled: boolean; // the last check, by the person
}

export interface Inspection extends StoreApi<InspectionState> {
  readonly receive: (events: readonly RunEvent[]) => void;
  readonly inspectToken: (question: TokenQuestion) => void;
  readonly listKernels: () => void;
  /** @param batch null: on the catalogue's cases */
  readonly checkKernel: (name: string, batch?: KernelBatch | null) => void;
  readonly tryKernel: (question: TryKernel) => void;
  /** Ends the check of a kernel that is awaited. */
  readonly cancelCheck: () => void;
}

export function createInspection(send: (command: RunCommand) => void): Inspection {
  const store = createStore<InspectionState>(() => ({
    tokenPush: null,
    stepCheck: null,
    kernels: null,
    kernelChecks: {},
    compiled: null,
    kernelTrial: null,
    compiling: null,
    uncompiled: null,
    asking: null,
    cancelled: false,
  }));
  const ask = (asking: InspectionEvent['kind'], command: RunCommand): void => {
    store.setState({ asking, cancelled: false });
    send(command);
  };
  const hear = (event: RunEvent): void => {
    if (event.kind === 'token-push') store.setState({ tokenPush: event, asking: null });
    else if (event.kind === 'step-check') store.setState({ stepCheck: event });
    else if (event.kind === 'kernels') store.setState({ kernels: event.kernels, asking: null });
    else if (event.kind === 'kernel-check') {
      const kernelChecks = { ...store.getState().kernelChecks, [event.kernel]: event };
      store.setState({ kernelChecks, asking: null });
    } else if (event.kind === 'kernel-trial') {
      store.setState({ compiled: event, compiling: null });
      if (event.gradients || store.getState().asking === 'kernel-trial')
        store.setState({ kernelTrial: event, asking: null });
    } else if (event.kind === 'failed')
      store.setState(({ compiling }) => ({ asking: null, compiling: null, uncompiled: compiling }));
  };
  return {
    ...store,
    receive: (events) => events.forEach(hear),
    inspectToken: (question) => ask('token-push', { kind: 'inspect-token', ...question }),
    listKernels: () => ask('kernels', { kind: 'list-kernels' }),
    checkKernel: (name, batch = null) =>
      ask('kernel-check', { kind: 'check-kernel', name, ...(batch && { batch }) }),
    tryKernel(question) {
      const command = { kind: 'try-kernel', ...question } as const;
      if (question.checkGradient) ask('kernel-trial', command);
      else {
        store.setState({ compiling: question.source, uncompiled: null }); // while it is written: no other question waits for it
        send(command);
      }
    },
    cancelCheck() {
      store.setState({ asking: null, cancelled: true });
      send({ kind: 'cancel-check' });
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
