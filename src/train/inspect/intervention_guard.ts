/** Guard of the turns that a person asks for: each field from outside, or an error that says which is wrong. */
import * as v from 'valibot';
import { environmentNamed, parseRunConfig } from '../config/config.ts';
import { ProtocolError } from '../engine/errors.ts';
import type { InterventionCommand } from '../../protocol/interventions.ts';
import { issueReport, real, wanted, whole } from '../../protocol/schema.ts';

const MOST = 1_000_000_000;
const MOST_TURNS = 64; // beside one another: the most that a run may pick in a round
const number = real(-1e30, 1e30);
const mask = v.array(whole(0, 1));

const sameLength = (value: object): boolean =>
  new Set(Object.values(value).flatMap((field) => (Array.isArray(field) ? [field.length] : []))).size === 1;
const ALIGNED = 'as many mask bits and numbers as tokens';

const questionSchema = (vocabulary: number) => {
  const tokens = v.array(whole(0, vocabulary - 1));
  const turn = v.object({
    tokens,
    mask,
    depth: whole(0, MOST),
    tree: whole(0, MOST),
    turnEntropy: number,
    lastGenerationLength: whole(0, MOST),
    retrieved: v.optional(v.literal(true)),
  });
  const opening = v.object({
    tokens,
    mask,
    logProb: v.array(number),
    entropy: v.array(number),
    depth: whole(0, MOST),
  });
  return v.object({
    id: whole(0, MOST),
    update: whole(0, MOST),
    node: whole(0, MOST),
    seed: whole(0, 0xffffffff),
    prompt: v.object({
      index: whole(0, MOST),
      dataset: v.string(),
      seed: whole(0, 0xffffffff),
      tokens,
      answer: tokens,
    }),
    path: v.array(
      v.pipe(
        turn,
        wanted((turn) => sameLength(turn), ALIGNED),
      ),
    ),
    opening: v.nullable(
      v.pipe(
        opening,
        wanted((start) => sameLength(start), ALIGNED),
      ),
    ),
    tree: whole(0, MOST),
    count: whole(1, MOST_TURNS),
  });
};

/** @throws ProtocolError naming the first field that is not valid; RunConfigError for a configuration */
export function parseIntervention(value: unknown): InterventionCommand {
  const config = parseRunConfig((value as Readonly<Record<string, unknown>>).config);
  const schema = questionSchema(environmentNamed(config.environment).vocabulary.length);
  const parsed = v.safeParse(schema, value);
  if (parsed.success)
    return { kind: 'intervene', config, ...parsed.output } as unknown as InterventionCommand; // checked; brands exist only in types
  const report = {
    what: 'Turns cannot be grown by hand like this',
    root: 'command',
    next: 'Choose a turn of a finished tree.',
  };
  throw new ProtocolError(issueReport(parsed.issues, value, report));
}
