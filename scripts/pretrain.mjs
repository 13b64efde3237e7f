// `npm run pretrain`: makes the supervised warm-start weights of the search world with our own kernels, in the headless
// browser that the tests use. Writes a safetensors file, and beside it a JSON record: config, seed, command, scores.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';

const OPTIONS = {
  seed: { type: 'string', default: '0' }, // demonstrations and initial parameters
  steps: { type: 'string', default: '700' },
  questions: { type: 'string', default: '150' }, // held-out questions per data set, for the scores
  out: { type: 'string', default: 'public/warmstart-search-d64L2.safetensors' },
  adapter: { type: 'string', default: 'software' }, // or hardware
};

const fail = (message) => {
  console.error(message);
  process.exit(2);
};

function whole(name, text, least) {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value >= 2 ** 32)
    fail(`--${name} ${text}: wanted a whole number of at least ${least}.`);
  return value;
}

function readOptions() {
  try {
    const { values } = parseArgs({ options: OPTIONS });
    if (!['software', 'hardware'].includes(values.adapter))
      fail(`--adapter ${values.adapter}: wanted software or hardware.`);
    return {
      request: {
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

const { request, out, adapter } = readOptions();
if (adapter === 'hardware') process.env.GPU = 'hardware'; // read by browser.mjs
const { withPage } = await import('./headless.mjs');

await withPage(
  async ({ page }) => {
    await page.exposeFunction('report', (text) => console.log(text));
    const { base64, record } = await page.evaluate(async (asked) => {
      const { pretrainInPage } = await import('/src/train/pretrain_page.ts');
      const { file, record } = await pretrainInPage(asked, globalThis.report);
      let binary = '';
      for (const byte of new Uint8Array(file)) binary += String.fromCharCode(byte);
      return { base64: btoa(binary), record };
    }, request);
    const { seed, steps, questions } = request;
    const command = `npm run pretrain -- --seed ${seed} --steps ${steps} --questions ${questions} --out ${out} --adapter ${adapter}`;
    mkdirSync(dirname(out), { recursive: true });
    writeFileSync(out, Buffer.from(base64, 'base64'));
    writeFileSync(
      out.replace(/\.safetensors$/, '') + '.json',
      `${JSON.stringify({ command, ...record }, null, 2)}\n`,
    );
    for (const [name, { sampled, greedy }] of Object.entries(record.scores)) {
      console.log(
        `${name.padEnd(10)} exact match ${sampled.toFixed(3)} sampled, ${greedy.toFixed(3)} greedy`,
      );
    }
    console.log(
      `mean       exact match ${record.meanSampled.toFixed(3)} sampled, ${record.meanGreedy.toFixed(3)} greedy`,
    );
    console.log(
      `${out}: ${steps} steps, ${record.tokens} tokens in ${Math.round(record.seconds)} s on ${record.adapter}`,
    );
  },
  { entries: ['src/train/pretrain_page.ts'] },
);
