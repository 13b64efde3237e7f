// `npm run pretrain`: makes the supervised warm-start weights of the search world with our own kernels, in the headless
// browser that the tests use. Writes a safetensors file, and beside it a JSON record: config, seed, command, scores.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { fail } from './arguments.mjs';
import { shorten } from './shorten.mjs';

const OPTIONS = {
  from: { type: 'string' }, // weights to go on from; random parameters without it
  datasets: { type: 'string' }, // comma-separated; one named twice is asked twice as often; all with answers without it
  seed: { type: 'string', default: '0' }, // demonstrations and initial parameters
  steps: { type: 'string', default: '700' },
  questions: { type: 'string', default: '150' }, // held-out questions per data set, for the scores
  out: { type: 'string', default: 'public/warmstart-search-d64L2.safetensors' },
  adapter: { type: 'string', default: 'software' }, // or hardware
};

function whole(name, text, least) {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value >= 2 ** 32)
    fail(`--${name} ${shorten(text)}: wanted a whole number of at least ${least}.`);
  return value;
}

function readOptions() {
  try {
    const { values } = parseArgs({ options: OPTIONS });
    if (!['software', 'hardware'].includes(values.adapter))
      fail(`--adapter ${shorten(values.adapter)}: wanted software or hardware.`);
    return {
      request: {
        from: values.from ?? null,
        datasets: values.datasets?.split(',') ?? null,
        seed: whole('seed', values.seed, 0),
        steps: whole('steps', values.steps, 1),
        questions: whole('questions', values.questions, 1),
      },
      out: values.out,
      adapter: values.adapter,
    };
  } catch (error) {
    return fail(
      `${error.message}\nOptions: ${Object.keys(OPTIONS)
        .map((name) => `--${name}`)
        .join(' ')}`,
    );
  }
}

const commandLine = ({ from, datasets, seed, steps, questions }, out, adapter) =>
  [
    'npm run pretrain --',
    ...(from ? [`--from ${from}`] : []),
    ...(datasets ? [`--datasets ${datasets.join(',')}`] : []),
    `--seed ${seed} --steps ${steps} --questions ${questions} --out ${out} --adapter ${adapter}`,
  ].join(' ');

/** Runs in the page. Bytes cross as base64. */
async function inPage({ from, ...request }) {
  const { pretrainInPage } = await import('/src/train/pretrain/pretrain_page.ts');
  const start = from && {
    name: from.name,
    file: Uint8Array.from(atob(from.base64), (character) => character.charCodeAt(0)).buffer,
  };
  const { file, record } = await pretrainInPage({ ...request, from: start }, globalThis.report);
  let binary = '';
  for (const byte of new Uint8Array(file)) binary += String.fromCharCode(byte);
  return { base64: btoa(binary), record };
}

const { request, out, adapter } = readOptions();
if (adapter === 'hardware') process.env.GPU = 'hardware'; // read by browser.mjs
const { withPage } = await import('./headless.mjs');

await withPage(
  async ({ page }) => {
    await page.exposeFunction('report', (text) => console.log(text));
    const start = request.from && { name: request.from, base64: readFileSync(request.from, 'base64') };
    const { base64, record } = await page.evaluate(inPage, { ...request, from: start });
    mkdirSync(dirname(out), { recursive: true });
    writeFileSync(out, Buffer.from(base64, 'base64'));
    writeFileSync(
      out.replace(/\.safetensors$/, '') + '.json',
      `${JSON.stringify({ command: commandLine(request, out, adapter), ...record }, null, 2)}\n`,
    );
    for (const [name, { sampled, greedy, admitted }] of Object.entries(record.scores)) {
      console.log(
        `${name.padEnd(12)} exact match ${sampled.toFixed(3)} sampled, ${greedy.toFixed(3)} greedy; admitted ${admitted.toFixed(3)}`,
      );
    }
    console.log(
      `mean         exact match ${record.meanSampled.toFixed(3)} sampled, ${record.meanGreedy.toFixed(3)} greedy`,
    );
    console.log(
      `${out}: ${request.steps} steps, ${record.tokens} tokens in ${Math.round(record.seconds)} s on ${record.adapter}`,
    );
  },
  { entries: ['src/train/pretrain/pretrain_page.ts'] },
);
