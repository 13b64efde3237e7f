/** Guard at the engine's edge: a message from outside is a RunCommand, or an error that says why not. */
import { PHASES, URGENT_COMMANDS, type Fork, type RunCommand } from '../../protocol/protocol.ts';
import { quote } from '../../protocol/schema.ts';
import { parseRunConfig } from '../config/config.ts';
import { ProtocolError } from '../../protocol/errors.ts';

const PLAIN_COMMANDS = ['pause', 'step-update', 'step-phase', 'reset', 'close', ...URGENT_COMMANDS] as const;
const COMMANDS = ['open', 'load-weights', 'resume', 'play', ...PLAIN_COMMANDS];

const refuse = (what: string, where: string, got: unknown, wanted: string): never => {
  throw new ProtocolError({
    what,
    where,
    got: quote(got),
    wanted,
    next: 'Reload the page, so that both sides are of one version.',
  });
};

function parsePlay(to: unknown): RunCommand {
  if (to === undefined) return { kind: 'play' };
  const { update, phase } = (to ?? {}) as Readonly<Record<string, unknown>>;
  const known = PHASES.find((name) => name === phase);
  if (known && Number.isInteger(update) && (update as number) >= 1)
    return { kind: 'play', to: { update: update as number, phase: known } };
  return refuse(
    'The place to play to is not valid',
    'command.to',
    to,
    'an update from 1 and one of its phases',
  );
}

function parseFork(value: unknown): Fork {
  const { run, config } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof run === 'string') return { run, config: parseRunConfig(config) };
  return refuse('The command to fork names no run', 'command.fork.run', run, 'the run that is forked');
}

const kindOf = (value: unknown): unknown => (value as { kind?: unknown } | null | undefined)?.kind;

/**
 * @throws ProtocolError when it is no command; RunConfigError or ConfigError when its configuration is not valid
 */
export function parseRunCommand(value: unknown): RunCommand {
  const kind = kindOf(value);
  const fields = value as Readonly<Record<string, unknown>>;
  const plain = PLAIN_COMMANDS.find((name) => name === kind);
  if (plain) return { kind: plain };
  if (kind === 'open') return { kind, config: parseRunConfig(fields.config) };
  if (kind === 'play') return parsePlay(fields.to);
  if (kind === 'load-weights' || kind === 'resume') {
    const { bytes, keep } = fields;
    if (bytes instanceof ArrayBuffer && kind === 'resume' && fields.fork !== undefined)
      return { kind, bytes, fork: parseFork(fields.fork) };
    if (bytes instanceof ArrayBuffer && kind === 'resume')
      return { kind, bytes, ...(typeof keep === 'string' && { keep }) };
    if (bytes instanceof ArrayBuffer && kind === 'load-weights')
      return { kind, bytes, ...(fields.config !== undefined && { config: parseRunConfig(fields.config) }) };
    return refuse(
      kind === 'resume'
        ? 'The command to resume has no checkpoint'
        : 'The command to load weights has no weights',
      'command.bytes',
      fields.bytes,
      'an ArrayBuffer',
    );
  }
  return refuse(
    'The engine does not know this command',
    'command.kind',
    kind ?? value,
    `one of ${COMMANDS.join(', ')}`,
  );
}
