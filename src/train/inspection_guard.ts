/** Guard of a person's questions: each field from outside, or an error that says which is wrong. */
import * as v from 'valibot';
import { environmentNamed, parseRunConfig } from './config.ts';
import { ProtocolError } from './errors.ts';
import { kernelNames } from './kernels.ts';
import type { InspectionCommand } from './protocol/inspection.ts';
import { issueReport, real, wanted, whole } from './schema.ts';

const MOST = 1_000_000_000;
const number = real(-1e30, 1e30);

const tokenSchema = (vocabulary: number) =>
  v.object({
    update: whole(1, 1_000_000),
    prompt: whole(0, MOST),
    leaf: whole(0, MOST),
    tokens: v.pipe(
      v.array(whole(0, vocabulary - 1)),
      wanted((tokens) => tokens.length >= 2, 'at least one token before the one asked about'),
    ),
    dlogProb: number,
    dentropy: number,
    readers: whole(1, MOST),
  });

const kernelSchema = v.object({
  name: v.picklist(kernelNames, 'the name of a kernel in shaders/index.ts'),
});

function checked<Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
  report: { readonly what: string; readonly next: string },
): v.InferOutput<Schema> {
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return parsed.output;
  throw new ProtocolError(issueReport(parsed.issues, value, { ...report, root: 'command' }));
}

/** @throws ProtocolError naming the first field that is not valid; RunConfigError for a configuration */
export function parseInspection(kind: InspectionCommand['kind'], value: unknown): InspectionCommand {
  if (kind === 'check-steps' || kind === 'list-kernels') return { kind };
  const fields = value as Readonly<Record<string, unknown>>;
  if (kind === 'check-kernel') {
    const { name } = checked(kernelSchema, value, {
      what: 'There is no such kernel to check',
      next: 'Choose one of the kernels that the lab lists.',
    });
    return { kind, name };
  }
  const config = parseRunConfig(fields.config);
  const { length } = environmentNamed(config.environment).vocabulary;
  const question = checked(tokenSchema(length), value, {
    what: 'A token cannot be looked at like this',
    next: 'Choose a token that the policy wrote, in an update whose loss is there.',
  });
  return { kind, config, ...question } as unknown as InspectionCommand; // checked above; brands exist only in types
}
