/** An experiment as a person puts it together: methods, or values of one setting, on a task, with so many seeds. Pure. */
import { CURRENCY_NAMES, type Currency } from '../../experiment/budget.ts';
import { parseExperiment, type Experiment } from '../../experiment/experiment.ts';
import { methodTitle } from '../lab/knobs.ts';

export { CURRENCY_NAMES, CURRENCY_UNITS, type Currency } from '../../experiment/budget.ts';

export interface ExperimentDraft {
  readonly preset: string;
  readonly datasets: readonly string[]; // to train on and hold out, each a task of its own; none: the preset's
  readonly compares: 'methods' | 'setting';
  readonly methods: readonly string[]; // the first is what the others are compared with
  readonly method: string; // whose setting is varied
  readonly path: string; // dotted, into RunConfig
  readonly values: string; // with commas; the first is what the others are compared with
  readonly seeds: number;
  readonly by: Currency;
  readonly amount: number;
  readonly questions: number; // held out, per data set
  readonly equalWithin: number | null; // of exact match
}

/** Runs live or die on it within minutes, so it tells methods apart. */
export const FIRST_DRAFT: ExperimentDraft = {
  ...{ preset: 'instant', datasets: ['musique'], compares: 'methods', methods: ['grpo', 'at2po'] },
  ...{ method: 'at2po', path: 'algorithm.loss.reduction', values: 'seq-mean-token-mean, token-mean' },
  ...{ seeds: 5, by: 'updates', amount: 40, questions: 300, equalWithin: 0.05 },
};

/** What a budget begins with when its currency is chosen; of `instant` about 40 updates. */
export const USUAL_AMOUNT: Readonly<Record<Currency, number>> = { updates: 40, tokens: 200_000, generated: 400_000, calls: 15_000, seconds: 120 }; // prettier-ignore

const slug = (text: string): string => text.toLowerCase().replace(/[^a-z0-9_.]+/g, '-').replace(/^[^a-z0-9]+|-+$/g, ''); // prettier-ignore

export const valuesOf = ({ values }: ExperimentDraft): readonly string[] =>
  values.split(',').map((value) => value.trim()).filter((value) => value !== ''); // prettier-ignore

const listed = (names: readonly string[], word: 'or' | 'and'): string =>
  names.length < 3 ? names.join(` ${word} `) : `${names.slice(0, -1).join(', ')} ${word} ${names.at(-1)}`;

function armsOf(draft: ExperimentDraft) {
  if (draft.compares === 'methods')
    return draft.methods.map((name) => ({ name, title: methodTitle(name), algorithm: name }));
  const last = draft.path.split('.').at(-1) ?? draft.path;
  return valuesOf(draft).map((value) => ({
    ...{ name: `${last}-${slug(value)}`.slice(0, 60), title: `${last} ${value}`, algorithm: draft.method },
    settings: [`${draft.path}=${value}`],
  }));
}

/** @throws ExperimentError naming the first field that is not as it should be */
export function experimentOf(draft: ExperimentDraft): Experiment {
  const arms = armsOf(draft);
  const { datasets, seeds, by, amount, questions, equalWithin } = draft;
  const settingsOf = (name: string): readonly string[] => [`datasets=${name}`, `evaluation.datasets=${name}`];
  const on = datasets.length === 0 ? [draft.preset] : datasets;
  const titles = listed(arms.map(({ title }) => title), 'or'); // prettier-ignore
  const of = draft.compares === 'setting' ? ` of ${methodTitle(draft.method)}` : '';
  return parseExperiment({
    name: slug([...arms.map(({ name }) => name), ...on].join('-')).slice(0, 60),
    question: `Which is better on ${listed(on, 'and')}: ${titles}${of}?`,
    base: { preset: draft.preset, settings: datasets.length === 1 ? settingsOf(datasets[0]) : [] },
    arms,
    ...(datasets.length > 1 && { tasks: datasets.map((name) => ({ name, settings: settingsOf(name) })) }),
    seeds: Array.from({ length: seeds }, (_, index) => index + 1),
    budget: { by, amount },
    evaluation: { questions },
    ...(equalWithin !== null && { equalWithin }),
  });
}

export const isCurrency = (text: string): text is Currency => CURRENCY_NAMES.some((name) => name === text);
