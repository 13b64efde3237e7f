// `npm run bench:scaling`: how an update's time grows with leaves, length, width, layers and vocabulary, against the
// arithmetic of each point; prints the fitted exponents and saves them as JSON, with a drawing beside it.
import { writeFileSync } from 'node:fs';
import {
  COMMON_HELP,
  COMMON_OPTIONS,
  installPeers,
  log,
  positive,
  readOptions,
  save,
  some,
  withHeader,
  withLab,
  withSeats,
} from './command.mjs';

const OPTIONS = { axes: { type: 'string' }, ...COMMON_OPTIONS };

const HELP = `npm run bench:scaling -- [options]
  --axes NAMES         of leaves, length, channels, layers, vocabulary; default all
${COMMON_HELP}`;

const options = readOptions(OPTIONS, HELP);
if (options.dawn) installPeers(true);
await withLab(options, 'growth.ts', async (lab) => {
  const { AXES } = await lab.load('growth.ts');
  const { describeGrowth, drawGrowth } = await lab.load('growth_report.ts');
  const axes = options.axes ? some(options.axes, 'axes', Object.keys(AXES)) : Object.keys(AXES);
  const repetitions = positive(options.repetitions, 'repetitions');
  const result = await withSeats(lab, ['turnwise'], ([seat]) =>
    withHeader(lab, seat, 'bench:scaling', async () => {
      const measured = {};
      for (const axis of axes) {
        measured[axis] = await seat.call('growth', axis, repetitions);
        log(`${axis}: ${measured[axis].map(({ value, ms }) => `${value} ${ms.toFixed(0)} ms`).join(', ')}`);
      }
      return { suite: 'scaling', axes: measured };
    }),
  );
  console.log(`\n${describeGrowth(result)}\n`);
  const path = save(result, 'scaling', options, false);
  writeFileSync(path.replace(/\.json$/, '.svg'), drawGrowth(result));
});
