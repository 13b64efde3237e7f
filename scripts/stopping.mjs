// `npm run stopping -- RUN …`: of each update of recorded runs, who is taught to stop. The panel of that name in Loss as a table.
import { openAsBlob, statSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { fail } from './arguments.mjs';

process.removeAllListeners('warning'); // node says of openAsBlob that it is new

const HELP = `npm run stopping -- RUN … [options]
  RUN                    a log that \`npm run lab -- --record run.ndjson.gz\` wrote
  --turn N               the turn at which rows answer or go on; default 2`;

const fixed = (value, digits = 2) => (value === null ? '–' : value.toFixed(digits).replace('-', '−'));
const share = (value) => (Number.isFinite(value) ? `${Math.round(100 * value)} %` : '–');
const line = (cells) => `| ${cells.join(' | ')} |`;

const HEAD = ['update', 'depth', 'dead', 'live trees', 'of them without success', 'share of the push', 'rows at the turn', 'answer there', 'weight', 'go on', 'weight', 'answering − going on', 'under the other reduction']; // prettier-ignore

async function* updatesOf(server, file) {
  const { readRecording } = await server.ssrLoadModule('/src/files/recording.ts');
  const { foldEvents } = await server.ssrLoadModule('/src/store/record/fold.ts');
  const { EMPTY_RUN } = await server.ssrLoadModule('/src/store/record/run_state.ts');
  let run = EMPTY_RUN;
  for await (const event of readRecording(await openAsBlob(file))) {
    run = foldEvents(run, [event]);
    if (event.kind !== 'metrics') continue;
    yield { header: run.header, update: run.updates.at(-1) };
    run = { ...run, updates: [] }; // told: a log is as long as its run
  }
}

function cellsOf(lab, { algorithm }, update, turn) {
  const { stoppingOf, failureTrees, otherReduction, pullToStop } = lab;
  const [own, other] = [null, otherReduction(algorithm.loss.reduction)].map((reduction) =>
    stoppingOf(update, reduction).find((each) => each.turn === turn),
  );
  const { live, trees, pushShare } = failureTrees(update);
  const start = [update.update, fixed(update.metrics.depth), fixed(update.metrics.deadTrees), live, trees, share(pushShare)]; // prettier-ignore
  if (!own) return [...start, 0, '–', '–', '–', '–', '–', '–'];
  const { answering, goingOn, failing } = own;
  const rows = answering.rows + goingOn.rows + failing.rows;
  return [...start, rows, share(answering.rows / rows), fixed(answering.loudness), share(goingOn.rows / rows), fixed(goingOn.loudness), fixed(pullToStop(own)), fixed(pullToStop(other))]; // prettier-ignore
}

async function print({ server }, files, turn) {
  const lab = await server.ssrLoadModule('/src/store/loss/stopping.ts');
  for (const file of files) {
    console.log(`\n${file}, turn ${turn}\n\n${line(HEAD)}\n${line(HEAD.map(() => '---'))}`);
    for await (const { header, update } of updatesOf(server, file)) {
      if (!header?.config) fail(`${file}: it names no method, so its loss is not known. Record a run of the lab.`); // prettier-ignore
      console.log(line(cellsOf(lab, header.config, update, turn)));
    }
  }
}

const OPTIONS = { turn: { type: 'string', default: '2' }, help: { type: 'boolean', default: false } };

function readOptions() {
  try {
    return parseArgs({ options: OPTIONS, allowPositionals: true });
  } catch (error) {
    return fail(`${error.message}\n\n${HELP}`);
  }
}

const { values, positionals } = readOptions();
const turn = Number(values.turn);
if (values.help) console.log(HELP);
else if (positionals.length === 0) fail(`RUN: got none, wanted a recorded run.\n\n${HELP}`);
else if (!Number.isInteger(turn) || turn < 1) fail(`--turn: got ${values.turn}, wanted 1 or more.`);
else {
  for (const file of positionals)
    if (!statSync(file, { throwIfNoEntry: false })?.isFile()) fail(`RUN: there is no file ${file}.`);
  const { withPage } = await import('./headless.mjs');
  try {
    await withPage((lab) => print(lab, positionals, turn), { browser: false });
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error));
  }
}
