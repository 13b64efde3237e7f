/** Questions that the run itself answers, as it goes on: weights, checkpoint, profile and step check. */
import * as v from 'valibot';
import type { ProfiledUpdate, SavedCheckpoint, SavedWeights, StepCheck } from '../../protocol/protocol.ts';
import { parameterMap } from '../../model/parameters.ts';
import { decodeWeights } from '../../model/weights.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { quote, whole } from '../../protocol/schema.ts';
import type { RunConfig } from '../../units.ts';
import { parseRunConfig } from '../config/config.ts';
import { nextCheckpoint } from '../engine/session.ts';
import { encodeCheckpoint } from '../run/checkpoint_file.ts';
import { checked, fieldOf, type QuestionKind } from './question.ts';

type Nothing = Readonly<Record<never, never>>;

/** As a file that a run can start from, where the run stands at the moment. */
export const saveWeights: QuestionKind<Nothing, SavedWeights> = {
  parse: () => ({}),
  async answer(_, lender) {
    const { policy, transport } = await lender.run();
    return { update: transport.state.update, bytes: await policy.save() };
  },
  moved: ({ bytes }) => [bytes],
};

/**
 * Whether a file can be what a run of a configuration starts from; the run under way is left alone.
 * The answer throws WeightsError naming the tensor that is missing, unknown, of another shape or type, or not finite.
 */
export const checkWeights: QuestionKind<
  { readonly config: RunConfig; readonly bytes: ArrayBuffer },
  { readonly parameterCount: number }
> = {
  parse(value) {
    const bytes = fieldOf(value, 'bytes');
    if (bytes instanceof ArrayBuffer) return { config: parseRunConfig(fieldOf(value, 'config')), bytes };
    throw new ProtocolError({
      ...{ what: 'There are no weights to look at', where: 'question.bytes', got: quote(bytes) },
      ...{ wanted: 'an ArrayBuffer', next: 'Choose a weights file.' },
    });
  },
  answer: ({ config, bytes }) =>
    Promise.resolve().then(() => ({
      parameterCount: parameterMap(decodeWeights(bytes, config.model).config).count,
    })),
};

/** Of the run as it stands between two updates, now or at the end of the one under way. */
export const saveCheckpoint: QuestionKind<Nothing, SavedCheckpoint> = {
  parse: () => ({}),
  async answer(_, lender, signal) {
    const checkpoint = await nextCheckpoint(await lender.run(), signal);
    const { buffer } = await encodeCheckpoint(checkpoint);
    return { update: checkpoint.update, bytes: buffer };
  },
  moved: ({ bytes }) => [bytes],
};

/** Of the next update that begins. */
export const profileUpdate: QuestionKind<Nothing, ProfiledUpdate> = {
  parse: () => ({}),
  async answer(_, lender, signal) {
    const { profiles } = await lender.run();
    return profiles.next(0, signal);
  },
};

const stepsOf = v.object({ update: v.exactOptional(whole(1, 1_000_000)) });

/** Of the next update that comes to its loss, not before the one that is named. */
export const checkSteps: QuestionKind<{ readonly update?: number }, StepCheck> = {
  parse: (value) =>
    checked(stepsOf, value, {
      what: 'The steps of such an update cannot be checked',
      next: 'Name an update from 1, or none for the next.',
    }),
  async answer({ update = 0 }, lender, signal) {
    const { stepChecks } = await lender.run();
    return stepChecks.next(update, signal);
  },
};
