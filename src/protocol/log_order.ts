/**
 * The order of a run's log. A guard of single events cannot see that an update follows the one before, that a node's
 * parent exists, or that a table has a place for each node; what folds and draws a log counts on all of it, and sizes
 * its tables by the numbers of events. So everything that reads a log from outside has it pass here first.
 */
import { RecordingError } from './errors.ts';
import { PHASES, type EventOf, type Phase, type RunEvent } from './protocol.ts';
import {
  addNode,
  checkExists,
  checkIds,
  checkLength,
  checkRow,
  checkTables,
  checkTokens,
  newTree,
  TREE_BOUNDS,
  type Refuse,
  type SeenTree,
} from './log_entries.ts';
import { quote } from './schema.ts';
import type { RecordedPrompt } from '../units.ts';

/** Events of an update, and the phase that each belongs to. */
const PHASE_OF = {
  phase: null,
  'prompts-added': 'rollout',
  node: 'rollout',
  expansion: 'rollout',
  leaves: 'rollout',
  'rollout-facts': 'rollout',
  rewards: 'reward',
  'groups-dropped': 'reward',
  credit: 'advantage',
  loss: 'loss',
  step: 'step',
  metrics: null, // without a loss an update ends with its credit (ReAct)
  'update-ended': null, // and without metrics with its rollouts or their rewards
} as const satisfies Partial<Record<RunEvent['kind'], Phase | null>>;

type UpdateEvent = EventOf<keyof typeof PHASE_OF>;

/** Reads a log event by event and refuses the first that cannot stand where it does. Holds one update's trees. */
export class LogOrder {
  #header: EventOf<'run-started'> | null = null;
  #textCount = 0; // token ids that read
  #update = 0;
  #closed = true; // the update's metrics were read
  #phase: Phase | null = null;
  #trees: SeenTree[] = [];
  #losses = 0; // mini-batches of the update, and those that took their step
  #steps = 0;
  readonly #evaluated = new Set<string>(); // after this update
  #remembered = false; // this update's last event was read

  /**
   * @param where names the event in the error, e.g. 'line 7'
   * @throws RecordingError naming the field that does not fit what came before
   */
  check(event: RunEvent, where: string): void {
    const refuse: Refuse = (field, got, wanted) => {
      throw new RecordingError({
        what: 'The recorded run is out of order',
        where: `${where}.${field}`,
        got: quote(got),
        wanted,
        next: 'Choose a file as the lab saved it, or record the run again: npm run lab -- --record.',
      });
    };
    if (event.kind === 'run-started') return this.#startRun(event, refuse);
    if (event.kind === 'status' || event.kind === 'failed') return this.#checkAside(event.update, refuse);
    if (!this.#header) return refuse('kind', event.kind, 'run-started before it');
    if (event.kind === 'remembered') return this.#checkRemembered(event, refuse);
    if (event.kind === 'texts') return this.#addTexts(event, this.#header, refuse);
    if (event.kind === 'evaluation') return this.#checkEvaluation(event, refuse);
    if (event.kind === 'update-started') return this.#startUpdate(event, this.#header, refuse);
    if (this.#closed) return refuse('update', event.update, 'update-started before it');
    if (event.update !== this.#update)
      return refuse('update', event.update, `${this.#update}, the update under way`);
    const phase = PHASE_OF[event.kind];
    if (phase && phase !== this.#phase) return refuse('kind', event.kind, `the phase ${phase} under way`);
    this.#checkInUpdate(event, this.#header, refuse);
  }

  #startRun(event: EventOf<'run-started'>, refuse: Refuse): void {
    if (this.#header) return refuse('kind', event.kind, 'one run in a file');
    const { environment, tokens, origin, config } = event;
    const callLimit = environment?.callLimit ?? 0;
    if (callLimit > TREE_BOUNDS.callLimit)
      refuse('environment.callLimit', callLimit, `at most ${TREE_BOUNDS.callLimit}`);
    if (tokens === 'vocabulary' && !environment)
      refuse('environment', null, 'the environment whose vocabulary the tokens are of');
    const isOurs = origin.kind === 'trained' || origin.kind === 'forked';
    if (isOurs && !config) refuse('config', null, 'the configuration that was trained');
    const { resumedAfter = 0 } = event;
    const most = config?.updates ?? 0;
    if (resumedAfter > most) refuse('resumedAfter', resumedAfter, `at most ${most}, the updates of the run`);
    this.#update = resumedAfter;
    this.#header = event;
    this.#textCount = tokens === 'vocabulary' ? (environment?.vocabulary.length ?? 0) : 0;
  }

  #addTexts({ texts }: EventOf<'texts'>, { tokens }: EventOf<'run-started'>, refuse: Refuse): void {
    if (tokens === 'vocabulary') refuse('kind', 'texts', 'no texts beside a vocabulary');
    this.#textCount += texts.length;
    if (this.#textCount > TREE_BOUNDS.texts) refuse('texts', this.#textCount, `at most ${TREE_BOUNDS.texts} texts in a record`); // prettier-ignore
  }

  /** Asides may name the update about to begin. */
  #checkAside(update: number, refuse: Refuse): void {
    if (update > this.#update + 1) refuse('update', update, `at most ${this.#update + 1}`);
  }

  #checkEvaluation({ update, dataset, greedy }: EventOf<'evaluation'>, refuse: Refuse): void {
    if (update !== this.#update || !this.#closed)
      refuse('update', update, `the last update that is complete, ${this.#update - (this.#closed ? 0 : 1)}`);
    if (this.#remembered) refuse('update', update, `no evaluation after the memory of update ${update}`);
    const key = `${dataset} ${greedy}`;
    if (this.#evaluated.has(key)) refuse('dataset', dataset, 'one evaluation of a data set after an update');
    this.#evaluated.add(key);
  }

  /** Once an update, after its metrics and evaluations. */
  #checkRemembered({ update, optimalValues }: EventOf<'remembered'>, refuse: Refuse): void {
    if (update !== this.#update || !this.#closed || this.#remembered)
      refuse('update', update, 'the last update that is complete, once');
    const [found, most] = [optimalValues?.length ?? 0, this.#trees.length];
    if (found > most) refuse('optimalValues', found, `at most ${most}, one for each prompt of the update`);
    this.#remembered = true;
  }

  #startUpdate(
    { update, prompts }: EventOf<'update-started'>,
    header: EventOf<'run-started'>,
    refuse: Refuse,
  ): void {
    const updates = header.config?.updates ?? Infinity;
    if (!this.#closed)
      refuse(
        'update',
        update,
        `${header.config ? 'metrics' : 'the end'} of update ${this.#update} before it`,
      );
    if (update !== this.#update + 1) refuse('update', update, `${this.#update + 1}, the next update`);
    if (update > updates) refuse('update', update, `at most ${updates}, the updates of the run`);
    this.#update = update;
    this.#closed = false;
    this.#phase = null;
    this.#trees = [];
    this.#losses = this.#steps = 0;
    this.#evaluated.clear();
    this.#remembered = false;
    this.#addPrompts(prompts, header, refuse);
  }

  #addPrompts(prompts: readonly RecordedPrompt[], { config }: EventOf<'run-started'>, refuse: Refuse): void {
    const most = config
      ? config.promptsPerUpdate * config.algorithm.filter.generationBatches
      : TREE_BOUNDS.prompts;
    const count = this.#trees.length + prompts.length;
    if (count > most)
      refuse('prompts', count, `at most ${most} prompts${config ? ', as the run is configured' : ''}`);
    prompts.forEach(({ index, tokens, answer }, place) => {
      if (index !== this.#trees.length) refuse(`prompts.${place}.index`, index, `${this.#trees.length}`);
      checkTokens(tokens, this.#textCount, `prompts.${place}.tokens`, refuse);
      checkTokens(answer ?? [], this.#textCount, `prompts.${place}.answer`, refuse);
      this.#trees.push(newTree());
    });
  }

  #checkInUpdate(event: UpdateEvent, header: EventOf<'run-started'>, refuse: Refuse): void {
    switch (event.kind) {
      case 'phase':
        return this.#startPhase(event.phase, refuse);
      case 'prompts-added':
        return this.#addPrompts(event.prompts, header, refuse);
      case 'node':
        return addNode(this.#treeOf(event.prompt, 'prompt', refuse), event.node, this.#textCount, refuse);
      case 'expansion':
        return this.#checkExpansion(event, refuse);
      case 'leaves':
        return this.#checkLeaves(event, refuse);
      case 'rollout-facts':
        return this.#checkFacts(event, refuse);
      case 'rewards':
        return this.#checkRewards(event, refuse);
      case 'groups-dropped':
        return event.prompts.forEach(
          (prompt, place) => void this.#treeOf(prompt, `prompts.${place}`, refuse),
        );
      case 'credit':
        return this.#checkCredit(event, header, refuse);
      case 'loss':
        return this.#checkLoss(event, refuse);
      case 'step':
        return this.#checkStep(event, header, refuse);
      case 'metrics':
        return this.#close(['advantage', 'step'], event.kind, refuse);
      case 'update-ended':
        return this.#close(header.config ? [] : ['rollout', 'reward', 'advantage'], event.kind, refuse);
      default:
        event satisfies never;
    }
  }

  /** In order; loss and step take turns, one pair a mini-batch, and so do rollout and reward until there are rewards. */
  #startPhase(phase: Phase, refuse: Refuse): void {
    const next = this.#phase === null ? PHASES[0] : PHASES[PHASES.indexOf(this.#phase) + 1];
    const again =
      (this.#phase === 'step' && phase === 'loss') ||
      (this.#phase === 'reward' && phase === 'rollout' && !this.#trees.some(({ rewarded }) => rewarded));
    if (phase !== next && !again) refuse('phase', phase, next ?? 'loss, or the metrics of the update');
    this.#phase = phase;
  }

  #treeOf(prompt: number, field: string, refuse: Refuse): SeenTree {
    return (
      this.#trees[prompt] ??
      refuse(field, prompt, `one of the update's ${this.#trees.length} prompts, from 0`)
    );
  }

  #checkExpansion({ prompt, record }: EventOf<'expansion'>, refuse: Refuse): void {
    const tree = this.#treeOf(prompt, 'prompt', refuse);
    if (record.iteration !== tree.iterations)
      refuse('record.iteration', record.iteration, `${tree.iterations}`);
    tree.iterations += 1;
    checkIds(tree, record.candidates.map(({ node }) => node), 'record.candidates', refuse); // prettier-ignore
    record.picks.forEach((node, place) => checkExists(tree, node, `record.picks.${place}`, refuse));
  }

  #checkLeaves({ prompt, leaves, pruned, search }: EventOf<'leaves'>, refuse: Refuse): void {
    const tree = this.#treeOf(prompt, 'prompt', refuse);
    if (tree.chosen) refuse('prompt', prompt, 'one choice of rows a tree');
    if (tree.depths.size !== tree.last + 1)
      refuse('leaves', tree.depths.size, `${tree.last + 1} nodes: every id up to the highest`);
    checkIds(tree, leaves, 'leaves', refuse);
    checkIds(tree, pruned, 'pruned', refuse);
    if (search) checkLength(search, tree.depths.size, 'search', refuse);
    tree.chosen = true;
  }

  /** Of trees whose rows are chosen. */
  #checkFacts({ rollouts }: EventOf<'rollout-facts'>, refuse: Refuse): void {
    rollouts.forEach(({ prompt, leaf, turns }, place) => {
      const tree = this.#treeOf(prompt, `rollouts.${place}.prompt`, refuse);
      if (!tree.chosen) refuse(`rollouts.${place}.prompt`, prompt, 'a tree whose rows are chosen');
      checkExists(tree, leaf, `rollouts.${place}.leaf`, refuse);
      turns.forEach(({ node, after }, at) => {
        checkExists(tree, node, `rollouts.${place}.turns.${at}.node`, refuse);
        checkExists(tree, after, `rollouts.${place}.turns.${at}.after`, refuse);
      });
    });
  }

  /** Each tree at most once. */
  #checkRewards({ trees }: EventOf<'rewards'>, refuse: Refuse): void {
    trees.forEach(({ prompt, byNode, signals }, place) => {
      const tree = this.#treeOf(prompt, `trees.${place}.prompt`, refuse);
      if (tree.rewarded) refuse(`trees.${place}.prompt`, prompt, 'a tree that has no rewards yet');
      tree.rewarded = true;
      const { belief, stepReward } = signals ?? {};
      checkTables(tree, { byNode, belief, stepReward }, `trees.${place}`, refuse);
    });
  }

  /** Of a run that was trained here all of it is known. */
  #checkCredit({ trees }: EventOf<'credit'>, { config }: EventOf<'run-started'>, refuse: Refuse): void {
    trees.forEach(({ prompt, normalised, values, advantages, valueRule, advantageRule }, place) => {
      const parts = { valueRule, advantageRule, normalised, values };
      const [unknown] = Object.entries(parts).find(([, part]) => part === null) ?? [];
      if (config && (unknown ?? (advantages.includes(null) ? 'advantages' : null)) !== null)
        refuse(`trees.${place}.${unknown ?? 'advantages'}`, null, 'known: the run was trained here');
      const tree = this.#treeOf(prompt, `trees.${place}.prompt`, refuse);
      if (tree.credited) refuse(`trees.${place}.prompt`, prompt, 'a tree that has no credit yet');
      tree.credited = true;
      checkTables(tree, { normalised, values, advantages }, `trees.${place}`, refuse);
    });
  }

  #checkLoss({ minibatch, rows }: EventOf<'loss'>, refuse: Refuse): void {
    if (minibatch !== this.#losses) refuse('minibatch', minibatch, `${this.#losses}, the next`);
    this.#losses += 1;
    rows.forEach((row, place) => {
      const tree = this.#treeOf(row.prompt, `rows.${place}.prompt`, refuse);
      checkExists(tree, row.leaf, `rows.${place}.leaf`, refuse);
      checkRow(row, `rows.${place}`, refuse);
    });
  }

  #checkStep(
    { minibatch, headNorms }: EventOf<'step'>,
    header: EventOf<'run-started'>,
    refuse: Refuse,
  ): void {
    if (minibatch !== this.#steps || this.#steps >= this.#losses)
      refuse('minibatch', minibatch, `${this.#losses - 1}, whose loss was read`);
    this.#steps += 1;
    const layers = header.config?.model.layers ?? Infinity;
    if (headNorms.length > layers) refuse('headNorms', headNorms.length, `at most ${layers} layers`);
  }

  #close(after: readonly Phase[], kind: RunEvent['kind'], refuse: Refuse): void {
    if (!this.#phase || !after.includes(this.#phase))
      refuse('kind', kind, after.length === 0 ? 'metrics: the run was trained here' : 'the phases of the update before it'); // prettier-ignore
    this.#closed = true;
  }
}
