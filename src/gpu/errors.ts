import { LabError } from '../units.ts';

const SUPPORTED = 'Chrome or Edge 113+, Safari 26+, or Firefox 141+ (Windows) or 145+ (macOS)';

/** The browser has no WebGPU at all. */
export class NoWebGpuError extends LabError {
  constructor(where: string) {
    super('NoWebGpuError', {
      what: 'This browser offers no WebGPU',
      where,
      got: 'no navigator.gpu',
      wanted: 'a browser with WebGPU on a page served from localhost or https',
      next: `Open the page in ${SUPPORTED}; on Linux start Chrome with --enable-unsafe-webgpu.`,
    });
  }
}

/** WebGPU is there, but no adapter was given. */
export class NoAdapterError extends LabError {
  constructor(where: string, cause?: unknown) {
    super(
      'NoAdapterError',
      {
        what: 'The browser has WebGPU but found no graphics adapter it may use',
        where,
        got: cause instanceof Error ? `no adapter: ${cause.message}` : 'no adapter',
        wanted: 'one adapter, hardware or software',
        next: 'Turn on hardware acceleration and update the graphics driver, or start Chrome with --enable-unsafe-webgpu --use-webgpu-adapter=swiftshader.',
      },
      cause,
    );
  }
}

/** The device is gone; every buffer and pipeline made from it too. */
export class DeviceLostError extends LabError {
  readonly reason: GPUDeviceLostReason;
  constructor(where: string, reason: GPUDeviceLostReason, message: string) {
    super('DeviceLostError', {
      what: 'The graphics device was lost',
      where,
      got: `reason ${reason}${message ? `: ${message}` : ''}`,
      wanted: 'a device that lives until the run ends',
      next: 'Play or Reset opens the run again, on a new device and with the same seed; if it is lost again, choose a smaller model or close other tabs.',
    });
    this.reason = reason;
  }
}

/** A kernel was started for a check and has not come to its end. */
export class KernelStallError extends LabError {
  constructor(seconds: number) {
    super('KernelStallError', {
      what: 'The kernel that is checked does not come to its end',
      where: 'check of a kernel',
      got: `no answer of the device in ${seconds} s`,
      wanted: 'a kernel that ends',
      next: 'Look for a loop that does not end in the edited text, mend it and check again. The check had a device of its own, which was given up: the run is as it was.',
    });
  }
}

/** A person ended a check: nothing went wrong. */
export class CheckCancelledError extends LabError {
  constructor() {
    super('CheckCancelledError', {
      what: 'The check was cancelled',
      where: 'check of a kernel',
      got: 'a person’s wish',
      wanted: 'its end',
      next: 'Check again.',
    });
  }
}

/** A device that did not answer and was given up by a person. */
export class DeviceGivenUpError extends LabError {
  constructor() {
    super('DeviceGivenUpError', {
      what: 'The graphics device did not answer and was given up',
      where: 'WebGPU device',
      got: 'no answer',
      wanted: 'an answer',
      next: 'Play or Reset opens the run again, on a new device and with the same seed. Where a kernel never ends, the old device goes on computing until the page is closed.',
    });
  }
}

export class OutOfMemoryError extends LabError {
  constructor(where: string, bytes: number, alreadyBytes: number, cause?: unknown) {
    super(
      'OutOfMemoryError',
      {
        what: 'The graphics device has no memory left',
        where,
        got: `a refusal of ${bytes} bytes on top of ${alreadyBytes}`,
        wanted: `${bytes} bytes more`,
        next: 'Choose a smaller model or fewer prompts per update, or close other tabs.',
      },
      cause,
    );
  }
}

export class BufferTooLargeError extends LabError {
  constructor(where: string, bytes: number, limit: number, limitName: string) {
    super('BufferTooLargeError', {
      what: 'A buffer is larger than the device allows',
      where,
      got: `${bytes} bytes`,
      wanted: `at most ${limit} bytes (${limitName})`,
      next: 'Choose a smaller model, a shorter context or fewer prompts per update.',
    });
  }
}

export interface CompileMessage {
  readonly line: number; // 1-based; 0 when the compiler names no line
  readonly column: number;
  readonly text: string; // the line of WGSL
  readonly message: string;
}

/** WGSL that does not compile, or a pipeline that cannot be made of it. */
export class ShaderCompileError extends LabError {
  readonly kernel: string;
  readonly messages: readonly CompileMessage[];
  constructor(kernel: string, messages: readonly CompileMessage[], cause?: unknown) {
    const first = messages[0] ?? { line: 0, column: 0, text: '', message: 'no message from the compiler' };
    super(
      'ShaderCompileError',
      {
        what: `The shader ${kernel} does not compile`,
        where: first.line
          ? `${kernel}.wgsl:${first.line}:${first.column} \`${first.text.trim()}\``
          : `${kernel}.wgsl`,
        got: first.message.trim(),
        wanted: 'WGSL that this browser accepts',
        next: 'Correct that line; if the shader is unchanged, report the browser and its version with this message.',
      },
      cause,
    );
    this.kernel = kernel;
    this.messages = messages;
  }
}

/** A kernel was given the wrong buffers, sizes, constants or grid. */
export class InvalidDispatchError extends LabError {
  constructor(
    where: string,
    got: string,
    wanted: string,
    next = 'Compare the call with the header of the WGSL file.',
  ) {
    super('InvalidDispatchError', {
      what: 'A kernel cannot be dispatched like this',
      where,
      got,
      wanted,
      next,
    });
  }
}

/** A validation error that WebGPU reported outside every error scope. */
export class GpuValidationError extends LabError {
  constructor(where: string, message: string, cause?: unknown) {
    super(
      'GpuValidationError',
      {
        what: 'WebGPU refused a command',
        where,
        got: message,
        wanted: 'commands that pass validation',
        next: 'This is a fault of the program: report it with this message.',
      },
      cause,
    );
  }
}
