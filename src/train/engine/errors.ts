import { editLabel, LabError, type EditedKernel, type ErrorReport } from '../../units.ts';

/** The loss is not a number any more: training on would only spread it. */
export class NonFiniteLossError extends LabError {
  constructor(update: number, minibatch: number, loss: number, detail: string) {
    super('NonFiniteLossError', {
      what: 'The loss is not a finite number, so the run stopped',
      where: `update ${update}, mini-batch ${minibatch}${detail}`,
      got: String(loss),
      wanted: 'a finite number',
      next: 'Reset the run with a lower learning rate or a tighter clip band; what was recorded is kept.',
    });
  }
}

/** The warm-start file of a preset could not be fetched. */
export class WeightsFetchError extends LabError {
  constructor(url: string, got: string, cause?: unknown) {
    super(
      'WeightsFetchError',
      {
        what: 'The initial weights could not be fetched',
        where: url,
        got,
        wanted: 'a safetensors file',
        next: 'Check that the file stands in public/ (npm run pretrain makes it), or set weights to null for random parameters.',
      },
      cause,
    );
  }
}

/** A command or question that needs an open run came before one was opened. */
export class NoRunError extends LabError {
  constructor(where: string) {
    super('NoRunError', {
      what: 'There is no run to do this with',
      where,
      got: 'no open run',
      wanted: 'an open run',
      next: 'Choose a preset, which opens one, or reset.',
    });
  }
}

/** What was asked of an update to come will not come: the run is over, stopped or failed. */
export class RunEndedError extends LabError {
  constructor() {
    super('RunEndedError', {
      what: 'The run ended before it could answer this',
      where: 'run',
      got: 'its end',
      wanted: 'another update',
      next: 'Reset the run, which starts it again with the same seed, and ask again.',
    });
  }
}

/** A profile was asked of a backend that cannot time anything. */
export class NoProfileError extends LabError {
  constructor() {
    super('NoProfileError', {
      what: 'This run cannot be profiled',
      where: 'question profile',
      got: 'a backend without a device to time',
      wanted: 'a run on WebGPU',
      next: 'Train in a browser with WebGPU.',
    });
  }
}

/** A check of a kernel was asked of a backend that runs none. */
export class NoKernelsError extends LabError {
  constructor() {
    super('NoKernelsError', {
      what: 'There is no device to check kernels on',
      where: 'question check-kernel',
      got: 'a backend without kernels',
      wanted: 'a backend on WebGPU',
      next: 'Open the lab in a browser with WebGPU.',
    });
  }
}

/** A person's text of a kernel has a loop that does not end; it was found out before the run could start. */
export class EndlessLoopError extends LabError {
  /** @param text of that line */
  constructor(line: number, text: string) {
    super('EndlessLoopError', {
      what: 'The edited kernel has a loop that does not end',
      where: `policy_loss.wgsl:${line} \`${text}\``,
      got: 'a loop that was left after a million rounds',
      wanted: 'a kernel that ends',
      next: 'Mend that loop in Profile, or reset the text to the original, and run again.',
    });
  }
}

const megabytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20).toLocaleString('en-US')} MB`;

/** A run that the device has no room for; nothing was allocated. */
export class DoesNotFitError extends LabError {
  /** @param remedies settings with values, e.g. 'model.layers to 3', each enough by itself */
  constructor(facts: {
    readonly need: number; // bytes in all
    readonly where: string;
    readonly got: { readonly bytes: number; readonly text: string };
    readonly wanted: { readonly bytes: number; readonly text: string };
    readonly remedies: readonly string[];
  }) {
    const { need, where, got, wanted, remedies } = facts;
    super('DoesNotFitError', {
      what: `The run does not fit the graphics device: it needs ${megabytes(need)}`,
      where,
      got: `${megabytes(got.bytes)} ${got.text}`,
      wanted: `at most ${megabytes(wanted.bytes)} ${wanted.text}`,
      next:
        remedies.length > 0
          ? `Lower one of these settings: ${remedies.join('; ')}.`
          : 'Choose a smaller preset: no single setting brings it down far enough.',
    });
  }
}

/** The algorithm reads a second policy that the run was opened without. */
export class MissingPolicyError extends LabError {
  constructor(which: 'reference' | 'reward model', algorithm: string) {
    super('MissingPolicyError', {
      what: `The algorithm ${algorithm} needs a ${which} beside the policy`,
      where: 'train',
      got: 'none',
      wanted: which === 'reference' ? 'the policy before training' : 'a second network to train',
      next: 'Open the run again.',
    });
  }
}

/** A report of a lost device, and that a person's text of a kernel was running when it went. */
export function blameEdit(report: ErrorReport, edit: EditedKernel | null): ErrorReport {
  if (!edit) return report;
  const where = `${report.where}, ${editLabel(edit)}`;
  const next = `The edited kernel was running: look for a loop that does not end or an index out of range in it, or reset it to the original. ${report.next}`;
  return { ...report, where, next };
}

/** To whoever still waits for an answer. */
export const CLOSED: ErrorReport = {
  what: 'The engine was closed',
  where: 'engine',
  got: 'its end',
  wanted: 'an engine that answers',
  next: 'Open the page again.',
};
