/** Questions to an earlier place of a run: it is trained again to there, an update a question. */
import * as v from 'valibot';
import { whole } from '../../protocol/schema.ts';
import type { Place, SavedCheckpoint } from '../../protocol/protocol.ts';
import type { RunConfig } from '../../units.ts';
import { parseRunConfig } from '../config/config.ts';
import type { Replayed } from '../engine/replay.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../run/checkpoint_file.ts';
import { checked, fieldOf, placeSchema, type QuestionKind } from './question.ts';

export interface ReplayQuestion {
  readonly config: RunConfig;
  readonly to: Place; // update from 1
  readonly again: boolean; // the last update is trained though its state is at hand
  readonly checkpoint: ArrayBuffer | null; // of the run, to go on from
}

/** Comes an update nearer; asked again until it is there. */
export const replayUpdate: QuestionKind<ReplayQuestion, Replayed> = {
  parse(value) {
    const config = parseRunConfig(fieldOf(value, 'config'));
    const schema = v.object({
      to: v.object({ run: v.string(), update: whole(1, config.updates) }),
      again: v.boolean(),
      checkpoint: v.nullable(v.instance(ArrayBuffer)),
    });
    const fields = checked(schema, value, {
      what: 'The run cannot be trained again to such a place',
      next: 'Choose one of its updates.',
    });
    return { config, ...fields };
  },
  async answer({ config, to, again, checkpoint }, lender, signal) {
    const replays = lender.replays();
    if (checkpoint) replays.put(to.run, await decodeCheckpoint(new Uint8Array(checkpoint)));
    signal.throwIfAborted();
    return replays.advance(config, to, again, signal);
  },
};

/** Of a place that was replayed. */
export const replayedCheckpoint: QuestionKind<{ readonly at: Place }, SavedCheckpoint> = {
  parse: (value) =>
    checked(v.object({ at: placeSchema }), value, {
      what: 'There is no checkpoint of such a place',
      next: 'Name a run and an update that was replayed.',
    }),
  async answer({ at }, lender) {
    const { buffer } = await encodeCheckpoint(lender.replays().at(at));
    return { update: at.update, bytes: buffer };
  },
  moved: ({ bytes }) => [bytes],
};
