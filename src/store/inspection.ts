/** A person's questions to the engine, and its last answers. They are of the session, not of the run. */
import { createStore, type StoreApi } from 'zustand/vanilla';
export type {
  CheckedStep,
  KernelCheck,
  KernelDescription,
  TokenAlternative,
  TokenPush,
} from '../train/protocol.ts';
import type { InspectionEvent, KernelCheck, RunCommand, RunEvent, TokenQuestion } from '../train/protocol.ts';

type Answer<Kind extends InspectionEvent['kind']> = Extract<InspectionEvent, { kind: Kind }>;

export interface InspectionState {
  readonly tokenPush: Answer<'token-push'> | null;
  readonly stepCheck: Answer<'step-check'> | null;
  readonly kernels: Answer<'kernels'>['kernels'] | null; // once they were listed
  readonly kernelChecks: Readonly<Record<string, KernelCheck>>; // the last of each kernel
  readonly asking: InspectionEvent['kind'] | null; // the answer that is awaited
}

export interface Inspection extends StoreApi<InspectionState> {
  readonly receive: (events: readonly RunEvent[]) => void;
  readonly inspectToken: (question: TokenQuestion) => void;
  readonly listKernels: () => void;
  readonly checkKernel: (name: string) => void;
}

export function createInspection(send: (command: RunCommand) => void): Inspection {
  const store = createStore<InspectionState>(() => ({
    tokenPush: null,
    stepCheck: null,
    kernels: null,
    kernelChecks: {},
    asking: null,
  }));
  const ask = (asking: InspectionEvent['kind'], command: RunCommand): void => {
    store.setState({ asking });
    send(command);
  };
  const hear = (event: RunEvent): void => {
    if (event.kind === 'token-push') store.setState({ tokenPush: event, asking: null });
    else if (event.kind === 'step-check') store.setState({ stepCheck: event });
    else if (event.kind === 'kernels') store.setState({ kernels: event.kernels, asking: null });
    else if (event.kind === 'kernel-check') {
      const kernelChecks = { ...store.getState().kernelChecks, [event.kernel]: event };
      store.setState({ kernelChecks, asking: null });
    } else if (event.kind === 'failed') store.setState({ asking: null });
  };
  return {
    ...store,
    receive: (events) => events.forEach(hear),
    inspectToken: (question) => ask('token-push', { kind: 'inspect-token', ...question }),
    listKernels: () => ask('kernels', { kind: 'list-kernels' }),
    checkKernel: (name) => ask('kernel-check', { kind: 'check-kernel', name }),
  };
}
