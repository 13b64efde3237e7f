/** Why there is no live training here and what to do about it, in plain words. The recorded run goes on. */
import { useEffect, useRef, useState } from 'react';
import { useStore } from 'zustand';
import type { ArrivalState, LostPlace } from '../../store/lab/arrival.ts';
import { lostRunWords, missingPlace, type MissingPlace } from '../../store/place/missing_place.ts';
import { lastNeeded } from '../../store/place/selection.ts';
import type { UpdateState } from '../../store/record/run_state.ts';
import { editLabel, type EditedKernel } from '../../units.ts';
import {
  useArrival,
  useRecipe,
  useLab,
  useOfUpdate,
  usePlayer,
  useRun,
  useSelection,
  useTransport,
  useUpdateNumber,
} from '../parts/binding.ts';
import { countWords, formatNumber, formatShare } from '../parts/format.ts';
import { runTitle } from '../runs/RunRow.tsx';
import { useHandTree } from '../tree/hand_words.ts';
import { factsOfThisBrowser, webgpuAdvice } from './webgpu_advice.ts';

export function EngineNotice() {
  const engine = useTransport((transport) => transport.engine);
  const { transport } = useLab();
  const [dismissed, setDismissed] = useState(false);
  const inLesson = useSelection((selection) => selection.lesson !== null); // it runs on what is recorded; the header says that nothing trains here
  if (engine.kind !== 'unavailable' || dismissed || inLesson) return null;
  const { what, where, got, wanted, next } = engine.report;
  const facts = factsOfThisBrowser();
  const lacksAdapter = !facts.hasApi || /adapter/.test(got);
  return (
    <div className="notice" role="status">
      <p>
        <strong>{what}.</strong> You see a recorded run: play, step and open it as you like. To train live:{' '}
        {lacksAdapter ? webgpuAdvice(facts) : next}
      </p>
      <details className="small">
        <summary>Details</summary>
        {where}: got {got}, wanted {wanted}. {next}
      </details>
      <button type="button" className="small" onClick={transport.restartEngine}>
        Start the engine again
      </button>
      <button type="button" className="small" onClick={() => setDismissed(true)}>
        Dismiss
      </button>
    </div>
  );
}

// Who of the engine gives no sign for a while, in plain words, and the ways out. It goes when the sign comes.

const WORDS = {
  'adapter-silent': {
    what: 'The browser has not given a graphics adapter for 20 s',
    why: 'The page goes on waiting. If it stays so, close other tabs that use the graphics card, or restart the browser: a program that never ends can hold its graphics process.',
  },
  'device-silent': {
    what: 'The graphics device has not answered for 30 s',
    why: 'A slow device may need that for a large mini-batch, and the run then goes on by itself. An edited kernel with a loop that does not end never answers.',
  },
  'worker-silent': {
    what: 'The engine has shown no sign of life for 20 s',
    why: 'It is busy or stuck, and goes on by itself if it is busy. What is on screen stays either way.',
  },
} as const;

export function LifeNotice() {
  const life = useTransport((state) => state.life);
  const isLive = useTransport((state) => state.source === 'live');
  const { transport } = useLab();
  if (life === 'well' || life === 'ended') return null; // what ended is an error, with a banner of its own
  const { what, why } = WORDS[life];
  return (
    <div className="notice" role="status">
      <p>
        <strong>{what}.</strong> {why}
      </p>
      {life === 'device-silent' ? (
        <button type="button" className="small" onClick={transport.giveUpDevice}>
          Give the device up
        </button>
      ) : (
        <button type="button" className="small" onClick={transport.restartEngine}>
          Start the engine again
        </button>
      )}
      {isLive && (
        <button type="button" className="small" onClick={transport.replay}>
          Show the recorded run
        </button>
      )}
    </div>
  );
}

// An error in five plain parts. Dismissing hides it; the run stays.

export function ErrorBanner() {
  const failure = useRun((run) => run.failure);
  const { run } = useLab();
  if (!failure) return null;
  const { what, where, got, wanted, next } = failure;
  return (
    <div className="error-banner" role="alert">
      <p>
        <strong>{what}.</strong> {next}
      </p>
      <dl>
        <dt>Where</dt>
        <dd>{where}</dd>
        <dt>Got</dt>
        <dd>{got}</dd>
        <dt>Wanted</dt>
        <dd>{wanted}</dd>
      </dl>
      <button type="button" onClick={run.dismissFailure}>
        Dismiss
      </button>
    </div>
  );
}

// Said where a link asks for what this version does not understand, or this browser does not have: the rest is shown.

function Unknown({ parts }: { readonly parts: readonly string[] }) {
  const { selection } = useLab();
  return (
    <div className="notice" role="status">
      <p>
        This address asks for something that the lab does not know:{' '}
        {parts.map((part, index) => (
          <span key={index}>
            {index > 0 && ', '}
            <code>{part}</code>
          </span>
        ))}
        . That part was left out; the rest is shown as the link has it.
      </p>
      <button type="button" className="small" onClick={() => selection.select({ ignored: [] })}>
        Dismiss
      </button>
    </div>
  );
}

function Missing({ place }: { readonly place: MissingPlace }) {
  const { selection } = useLab();
  const { what, got, wanted, next, leave } = place;
  return (
    <div className="notice missing-place" role="status">
      <div>
        <p>
          <strong>{what}.</strong> Wanted: {wanted}. Got: {got}.
        </p>
        <p>{next}</p>
      </div>
      <button type="button" className="small" onClick={() => selection.select(leave)}>
        Stay with what is here
      </button>
    </div>
  );
}

function useMissingPlace(): MissingPlace | null {
  const updateCount = useRun((run) => run.updates.length);
  const update = useSelection((state) => state.update);
  const prompt = useSelection((state) => state.prompt);
  const node = useSelection((state) => state.node);
  const leaf = useSelection((state) => state.leaf);
  const pinned = useSelection((state) => state.pinned);
  const shown = useRun(({ updates }) => (update === null ? null : (updates[update - 1] ?? null)));
  const source = useTransport((transport) => transport.source);
  const isRead = usePlayer((player) => player.complete);
  const hand = useHandTree()?.tree ?? null;
  return missingPlace({
    updateCount,
    needed: lastNeeded({ update, pinned }),
    shown,
    selection: { prompt, node, leaf },
    source: source === 'live' ? 'live' : 'recorded',
    isRead: isRead || source === 'file',
    hand,
  });
}

/** A run that is nowhere in this browser: one sentence, and what to do about it. */
function Lost({ lost: { sought } }: { readonly lost: LostPlace }) {
  const { arrival } = useLab();
  const header = useRun((run) => run.header);
  const engine = useTransport((transport) => transport.engine.kind);
  useRun((run) => run.ready); // brings the presets that a recipe is read by
  const canTrain = engine === 'ready' && arrival.recipe() !== null;
  return (
    <div className="notice" role="status">
      <p>{lostRunWords(sought, header, canTrain)}</p>
      {canTrain && (
        <button type="button" className="small" onClick={arrival.trainHere}>
          Train this run here
        </button>
      )}
      <button type="button" className="small" onClick={arrival.dismiss}>
        Dismiss
      </button>
    </div>
  );
}

/** A link to the recorded run is opened at its update, whatever of the rest is there. */
function AheadNotice({ update, isHere, share }: NonNullable<ArrivalState['ahead']>) {
  return (
    <p className="notice" role="status">
      {isHere
        ? `Update ${update} of the recorded run is here; the updates around it are being read (${formatShare(share)}).`
        : `This link asks for update ${update} of the recorded run, which is on its way${share > 0 ? ` (${formatShare(share)} is read)` : ''}.`}
    </p>
  );
}

/** At most one: what comes first explains the rest. */
export function AddressNotice() {
  const ignored = useSelection((state) => state.ignored);
  const lost = useArrival((arrival) => arrival.lost);
  const missing = useMissingPlace();
  const ahead = useArrival((arrival) => arrival.ahead);
  if (lost) return <Lost lost={lost} />;
  if (ahead) return <AheadNotice {...ahead} />;
  if (missing) return <Missing place={missing} />;
  return ignored.length > 0 ? <Unknown parts={ignored} /> : null;
}

// Said in place of an old update's trees and loss rows while they are compressed, and when they are gone.

/** The run that the one on screen was forked from; null where it is no fork. */
function useParent(): { readonly name: string; readonly update: number } | null {
  const { shelf, kept } = useLab();
  const origin = useRun(({ header }) => (header?.origin.kind === 'forked' ? header.origin : null));
  const ready = useRun((run) => run.ready);
  const onShelf = useStore(shelf, ({ runs }) => runs.find(({ run }) => run.header?.date === origin?.run));
  const entry = useStore(kept, ({ entries }) => entries.find(({ created }) => created === origin?.run));
  if (!origin) return null;
  const name = onShelf?.title ?? (entry ? runTitle(entry, ready) : `of ${origin.run}`);
  return { name, update: origin.update };
}

/** Null where the update on screen is at hand. */
function useMissingDetail(): string | null {
  const detail = useOfUpdate((update) => update?.detail ?? 'here');
  const isAhead = useArrival(({ ahead }) => ahead !== null);
  const number = useUpdateNumber();
  const parent = useParent();
  if (detail === 'here') return null;
  if (parent && number <= parent.update)
    return `Update ${number} is before the fork, which goes on from update ${parent.update}: it is in run ${parent.name}.`;
  if (isAhead && detail === 'lost')
    return `Update ${number} of the recorded run is on its way: the recording is still being read.`;
  if (detail === 'archived') return `Update ${number} is compressed; it is being read back.`;
  return `Trees and loss rows of update ${number} are no longer kept: this browser could not compress them, and the page keeps only the newest updates in full. Its metrics and curves stay.`;
}

export function DetailNotice() {
  const missing = useMissingDetail();
  if (missing === null) return null;
  return (
    <p className="notice" role="status">
      {missing}
    </p>
  );
}

// How training went while the page was hidden, against before. Pure.

export interface HiddenRate {
  readonly updates: number; // finished while hidden
  readonly before: number; // seconds per update, as visible
  readonly hidden: number; // seconds per update, as hidden
  readonly slower: number; // share of the rate that was lost; below zero: it was quicker
}

const MOST = 20; // updates before that are looked at: later ones are the more alike

const secondsOf = (updates: readonly UpdateState[]): number =>
  updates.reduce(
    (sum, { metrics }) => sum + (metrics ? (metrics.rolloutMs + metrics.trainMs) / 1000 : 0),
    0,
  ) / updates.length;

/**
 * Compares updates finished while hidden with those before, by the engine's own clock.
 * @param first number of updates finished when the page was hidden
 * @param last when it was shown again
 * @returns null where there is nothing to compare
 */
export function hiddenRate(updates: readonly UpdateState[], first: number, last: number): HiddenRate | null {
  const done = updates.filter(({ metrics }) => metrics !== null);
  // The update that was under way at either end belongs to neither.
  const hiddenOnes = done.slice(first + 1, last);
  const before = done.slice(Math.max(0, first - MOST), first);
  if (hiddenOnes.length === 0 || before.length === 0) return null;
  const [seen, unseen] = [secondsOf(before), secondsOf(hiddenOnes)];
  if (seen === 0 || unseen === 0) return null;
  return { updates: hiddenOnes.length, before: seen, hidden: unseen, slower: 1 - seen / unseen };
}

// Says after the page was hidden whether training went on at its pace: a browser may slow what nobody sees.

/** Less than this is noise between updates. */
const WORTH_SAYING = 0.1;

const finished = (updates: readonly { readonly metrics: unknown }[]): number =>
  updates.filter(({ metrics }) => metrics !== null).length;

export function HiddenNotice() {
  const { run, transport } = useLab();
  const [rate, setRate] = useState<HiddenRate | null>(null);
  const hiddenAt = useRef<number | null>(null);
  useEffect(() => {
    const changed = (): void => {
      const { updates } = run.getState();
      if (document.visibilityState === 'hidden') {
        hiddenAt.current = transport.getState().source === 'live' ? finished(updates) : null;
        return;
      }
      const first = hiddenAt.current;
      hiddenAt.current = null;
      if (first === null) return;
      // What came while hidden is still being folded: look once it is.
      setTimeout(() => {
        const { updates: now } = run.getState();
        setRate(hiddenRate(now, first, finished(now)));
      }, CATCH_UP_MS);
    };
    document.addEventListener('visibilitychange', changed);
    return () => document.removeEventListener('visibilitychange', changed);
  }, [run, transport]);
  if (!rate || rate.slower < WORTH_SAYING) return null;
  return (
    <div className="notice" role="status">
      <p>
        <strong>The browser slowed training while this page was hidden.</strong>{' '}
        {countWords(rate.updates, 'update')} took {formatNumber(rate.hidden, 1)} s each instead of{' '}
        {formatNumber(rate.before, 1)} s: the rate dropped by {formatShare(rate.slower)}. Nothing of the run
        is lost; keep the page in a window of its own to train at full pace.
      </p>
      <button type="button" className="small" onClick={() => setRate(null)}>
        Dismiss
      </button>
    </div>
  );
}

const CATCH_UP_MS = 1000;

// Said wherever the run on screen is named: its loss came from a kernel that a person edited.

const useEdit = (): EditedKernel | null => useRecipe((config) => config.editedKernel ?? null);

export function EditedBadge() {
  const edit = useEdit();
  return edit && <span className="edited-badge small">{editLabel(edit)}</span>;
}

/** What of the page is the edited kernel's, and what is not. */
export function EditedNotice() {
  const edit = useEdit();
  if (!edit) return null;
  return (
    <p className="notice" role="status">
      This run trained with an {editLabel(edit)}: losses, gradients and steps are what that text gave. Bands,
      clip states, clip fractions, formulas and what-ifs are computed with the unedited formula. Profile shows
      the text.
    </p>
  );
}

/** The same on a method's card, for the settings that it belongs to. */
export function EditedLine({ edit }: { readonly edit: EditedKernel | undefined }) {
  return (
    edit && (
      <p className="small edited-note">With an {editLabel(edit)} in place of the method’s own loss kernel.</p>
    )
  );
}
