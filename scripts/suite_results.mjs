// docs/results/compare.md: what scripted players and trained methods score on the suite's tasks. Part of `npm run results`.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = 'docs/results';
const RUNS = join(FOLDER, 'experiments/compare/runs');
const WINDOW = 5; // updates
const NOTICED = 2; // standard errors of a difference of two shares

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const fixed = (value, digits = 3) => value.toFixed(digits).replace('-', '−');
const range = (values, digits = 3) => {
  const [least, most] = [Math.min(...values), Math.max(...values)].map((value) => fixed(value, digits));
  return least === most ? least : `${least} to ${most}`;
};
const row = (cells) => `| ${cells.join(' | ')} |`;
const table = (head, rows) => [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n');

/** Standard error of a share, of so many questions. */
const errorOf = (share, questions) => Math.sqrt((share * (1 - share)) / questions);
const isAbove = (high, low, questions) =>
  high - low > NOTICED * Math.hypot(errorOf(high, questions), errorOf(low, questions));

const first = (run, name) => mean(run.metrics[name].slice(0, WINDOW));
const last = (run, name) => mean(run.metrics[name].slice(-WINDOW));
const after = ({ heldOut }) => heldOut.after.exactMatch;
const before = ({ heldOut }) => heldOut.before.exactMatch;

/** What a task's runs say of what it is meant to show, from their numbers alone. */
function verdictOf(task, runs, arms, players, collapseOf) {
  const questions = runs[0].heldOut.questions;
  const of = (arm) => runs.filter(({ id }) => id.startsWith(`${arm}-`));
  const count = (list, is) => `${list.filter(is).length} of ${list.length}`;
  const each = (is) => arms.map((arm) => `${arm} ${count(of(arm), is)}`).join(', ');
  const risen = (run) => isAbove(after(run), before(run), questions);
  const course = (name) =>
    arms.map((arm) => `${arm} ${range(of(arm).map((run) => first(run, name)), 2)} → ${range(of(arm).map((run) => last(run, name)), 2)}`).join(', '); // prettier-ignore
  const signs = {
    musique: () => [`Collapsed: ${each((run) => collapseOf(run.metrics) !== null)}.`],
    stale: () => [
      `Above what believing first looks pays (${fixed(players.tempted.exactMatch)}): ${each((run) => isAbove(after(run), players.tempted.exactMatch, questions))}.`,
    ],
    metered: () => [`Gave the tool up (collapsed): ${each((run) => collapseOf(run.metrics) !== null)}.`],
    halfway: () => [
      `Mean reward in training: ${course('meanReward')}; exact match of its first chains: ${course('exactMatch')}. The rest of the reward’s rise is half pay and better form.`,
      `Settled wholly (reward up, held-out score no better): ${each((run) => last(run, 'meanReward') > first(run, 'meanReward') && !risen(run))}.`,
    ],
  };
  const [a, b] = arms.map((arm) => of(arm).map(after));
  const apart = a.length > 0 && b.length > 0 && (Math.min(...a) > Math.max(...b) || Math.min(...b) > Math.max(...a)); // prettier-ignore
  const pooled = questions * Math.min(a.length, b.length);
  const tells = apart && (isAbove(mean(a), mean(b), pooled) || isAbove(mean(b), mean(a), pooled));
  const name = (list) => list.join(' and ');
  return [
    tells
      ? `By the score, yes: every seed of one of ${name(arms)} is above every seed of the other.`
      : `Between ${name(arms)} not in these runs: the score does not tell them apart.`,
    `Learnt (above the warm start’s held-out score by more than ${NOTICED} standard errors): ${each(risen)}.`,
    ...signs[task.name](),
    `Turns of a path, first to last ${WINDOW} updates: ${course('depth')}.`,
  ].join(' ');
}

/** @param lab the modules of experiments @param load a module of the source */
export async function writeSuiteResults(lab, load) {
  if (!existsSync(RUNS)) return;
  const { COMPARE, playersOf, scorePlayer } = await load('/src/env/search/suite.ts');
  const { heldOutPrompts } = await load('/src/train/run/prompts.ts');
  const { searchEnvironment } = await load('/src/env/search/search.ts');
  const experiment = lab.readExperiment(readFileSync('experiments/compare.json', 'utf8'), 'compare.json');
  const planned = lab.plannedRuns(experiment);
  const runs = planned.flatMap((run) => {
    const file = join(RUNS, `${run.id}.json`);
    if (!existsSync(file)) return [];
    return [{ ...JSON.parse(readFileSync(file, 'utf8')), task: run.task, arm: run.arm }];
  });
  const arms = experiment.arms.map(({ name }) => name);
  const { questions } = experiment.evaluation;
  const parts = [];
  const overview = [];
  for (const task of COMPARE) {
    const prompts = heldOutPrompts(searchEnvironment, task.name, questions);
    const players = {};
    for (const [name, player] of Object.entries(playersOf(task)))
      players[name] = await scorePlayer(prompts, player);
    const own = runs.filter((run) => run.task === task.name);
    const { random, tempted, oracle } = players;
    const scores = arms.map((arm) => own.filter((run) => run.arm === arm).map(after));
    const seconds = own.map(({ used }) => used.seconds);
    overview.push([
      `\`${task.name}\``,
      ...[random, tempted].map(({ exactMatch, reward }) => `${fixed(exactMatch)} (${fixed(reward, 2)})`),
      own.length === 0 ? '–' : range(own.map(before)),
      ...scores.map((list) => (list.length === 0 ? '–' : list.map((score) => fixed(score)).join(', '))),
      `${fixed(oracle.exactMatch)} (${fixed(oracle.reward, 2)})`,
      own.length === 0 ? '–' : range(seconds, 0),
    ]);
    parts.push(
      `## ${task.title}: \`${task.name}\``,
      `${task.difficulty} It tempts to what the player “tempted” does: it ${task.tempted.words}.`,
      `Meant to show: ${task.shows}`,
      own.length === 0 ? 'No run yet.' : `Does it? ${verdictOf(task, own, arms, players, lab.collapseOf)}`,
    );
  }
  const adapters = [...new Set(runs.map(({ adapter }) => `${adapter.vendor} ${adapter.architecture}`))];
  const dates = [...new Set(runs.map(({ date }) => date.slice(0, 10)))].sort();
  const missing = planned.length - runs.length;
  const text = `# The suite \`compare\`

Made by \`npm run results\` from the runs of \`npm run experiment -- experiments/compare.json\`; do not edit by hand. Tasks are data sets of the
search world over the preset \`${experiment.base.preset}\`, ${experiment.budget.amount} ${experiment.budget.by}; answers and their uncertainty: [the experiment’s page](experiments/compare/README.md).
Adapter ${adapters.join(', ')}; ${dates.join(', ')}; seeds ${experiment.seeds.join(', ')}; ${questions} held-out questions per task, sampled, the same for all.${missing > 0 ? `\n\n**${missing} of ${planned.length} runs are not there yet.**` : ''}

Exact match; in brackets the mean reward. “Random” writes well-formed calls and answers without a plan, “oracle” reads what there is to read and knows nothing
else; where its score is below 1, five calls do not reach the answer. Seconds are of rollout and training, on two cores that did other things too.

${table(['task', 'random', 'tempted', 'warm start', ...arms.map((arm) => `${arm}, by seed`), 'oracle', 'seconds of a run'], overview)}

${parts.join('\n\n')}

A share of ${questions} questions has a standard error of at most ${fixed(Math.sqrt(0.25 / questions))}. With ${experiment.seeds.length} seeds a task nothing is proved of a task by itself: six pairs are the
least. Over all tasks the experiment’s page answers. The budget is one of ${experiment.budget.by}; sampled tokens of a run, mean: ${arms
    .filter((arm) => runs.some((run) => run.arm === arm))
    .map(
      (arm) =>
        `${arm} ${Math.round(mean(runs.filter((run) => run.arm === arm).map(({ used }) => used.tokens))).toLocaleString('en-US')}`,
    )
    .join(', ')}.
`;
  writeFileSync(join(FOLDER, 'compare.md'), text);
  console.log(`${FOLDER}/compare.md: ${runs.length} runs`);
}
