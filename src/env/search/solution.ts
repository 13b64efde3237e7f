/** The scripted solution of a question: reads the right row, turns the page, compares by the calculator. */
import { CALL_LIMIT, factsOf, NO_CALLS, playTurn, type CallHistory } from './episode.ts';
import type { Question } from './question.ts';
import { PAGES, type SearchIndex } from './tools.ts';

type Note = readonly string[];
const turnWords = (note: Note, tag: string, body: readonly string[]): readonly string[] => [
  '<think>',
  ...note,
  '</think>',
  `<${tag}>`,
  ...body,
  `</${tag}>`,
];

interface Progress {
  readonly turns: readonly (readonly string[])[];
  readonly history: CallHistory;
  readonly note: Note; // what the next turn thinks
}

const RETRY = 'retry';

/** Asks until the entity's own row shows up; the last note stays `retry` where pages or calls run out. */
function lookUp(index: SearchIndex, progress: Progress, entity: string, relation: string): Progress {
  let { turns, history, note } = progress;
  for (let page = 0; page < PAGES && history.calls.length < CALL_LIMIT; page += 1) {
    const turn = turnWords(note, 'search', [entity, relation]);
    const outcome = playTurn(index, history, turn);
    if (outcome.kind !== 'result') break;
    turns = [...turns, turn];
    history = outcome.history;
    const found = factsOf(outcome.words)?.find(([subject]) => subject === entity);
    note = [entity, found ? found[1] : RETRY];
    if (found) break;
  }
  return { turns, history, note };
}

/**
 * Turns, in words, that end in the true answer. Where the pages hide more than five calls can reach (some
 * musique questions), the calls stop at the limit and the answer is given all the same, so the reward is 1. An
 * unanswerable question is given up where its missing fact shows on no page.
 */
export function solutionTurns(
  index: SearchIndex,
  question: Question,
  answer: string,
): readonly (readonly string[])[] {
  let progress: Progress = { turns: [], history: NO_CALLS, note: ['plan'] };
  if (question.kind === 'chain') {
    let entity = question.start;
    for (const relation of question.relations) {
      progress = lookUp(index, progress, entity, relation);
      entity = progress.note[1];
      if (entity === RETRY) break;
    }
    return [...progress.turns, turnWords(progress.note, 'answer', [answer])];
  }
  progress = lookUp(index, progress, question.first, 'year');
  const firstYear = progress.note[1];
  progress = lookUp(index, progress, question.second, 'year');
  const comparison = turnWords(progress.note, 'calc', [firstYear, progress.note[1]]);
  const verdict = firstYear < progress.note[1] ? 'less' : 'more';
  return [...progress.turns, comparison, turnWords([verdict], 'answer', [answer])];
}
