// Rollouts as verl 0.6 dumps them, of any size, for measuring the import:
// node scripts/synthetic_rollouts.mjs 100 rollouts.jsonl && npm run import -- rollouts.jsonl
import { closeSync, openSync, writeSync } from 'node:fs';

const [megabytes, path] = process.argv.slice(2);
if (!(Number(megabytes) > 0) || !path) {
  console.error('node scripts/synthetic_rollouts.mjs MEGABYTES FILE');
  process.exit(2);
}
const [GROUPS, ROLLOUTS, TURNS, WORDS] = [16, 8, 3, 120]; // a step's groups, a group's rollouts, tool calls of each, words of a text

let state = 1; // Park and Miller's generator
const random = (below) => (state = (state * 48271) % 2147483647) % below;
const text = () => Array.from({ length: WORDS }, () => `w${random(5000)}`).join(' ');
const texts = Array.from({ length: 400 }, text);
const some = () => texts[random(texts.length)];
const call = () =>
  `<think>${some()}</think><tool_call>\n{"name": "search", "arguments": {"query": "w${random(5000)}"}}\n</tool_call>`;
const result = () => `\nuser\n<tool_response>\n${some()} ${random(5000)}\n</tool_response>\nassistant\n`;

const file = openSync(path, 'w');
let bytes = 0;
for (let step = 1; bytes < megabytes * 2 ** 20; step += 1)
  for (let group = 0; group < GROUPS; group += 1) {
    const input = `system\nYou may search.\nuser\n${some()} ${group}\nassistant\n`;
    for (let at = 0; at < ROLLOUTS; at += 1) {
      const output = Array.from({ length: TURNS }, () => call() + result()).join('') + some();
      bytes += writeSync(
        file,
        `${JSON.stringify({ input, output, gts: 'x', score: random(1000) / 1000, step })}\n`,
      );
    }
  }
closeSync(file);
