/** A method as a folder for verl: launch script, loss, credit, trainer, tools, reward, recorder, and what cannot be said. Pure. */
import { environments } from '../env/index.ts';
import { RELATIONS_OF, POOLS, valueOf } from '../env/search/world.ts';
import { editSuffix, PROGRAM, type Environment, type RunConfig } from '../units.ts';
import {
  creditPart,
  lossPart,
  OWN_RULES,
  rolloutPart,
  SEGMENT_TOKENS,
  sessionsOf,
  TREE_SHAPES,
  VERL,
} from './parts.ts';
import { mapSettings, notExpressed, type Mapped, type Value } from './settings.ts';

/** File name → text. */
export type Folder = ReadonlyMap<string, string>;

const TEMPLATES: Readonly<Record<string, string>> = import.meta.glob('./templates/*.py', { query: '?raw', import: 'default', eager: true }); // prettier-ignore

/** A value as Python writes it. */
function python(value: unknown): string {
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'object')
    return `{${Object.entries(value).map(([key, entry]) => `${JSON.stringify(key)}: ${python(entry)}`).join(', ')}}`; // prettier-ignore
  return JSON.stringify(value);
}

/** The numbers that the Python files read; each group whole, whatever of it the method reads. */
export function settingsFile({ algorithm }: RunConfig): string {
  const { loss, credit, rollout, reward } = algorithm;
  const scaled = { ...rollout, segmentTokens: SEGMENT_TOKENS };
  const groups = Object.entries({ LOSS: loss, CREDIT: credit, ROLLOUT: scaled, REWARD: reward }).map(
    ([name, group]) =>
      `${name} = {\n${Object.entries(group).map(([key, value]) => `    ${JSON.stringify(key)}: ${python(value)},\n`).join('')}}`, // prettier-ignore
  );
  const own = `# Whether turnwise_trainer.py puts its own advantages in the place of verl's.\nOWN_CREDIT = ${python(creditPart(algorithm)?.kind === 'own')}`; // prettier-ignore
  return [`"""Settings of ${algorithm.name}, as ${PROGRAM} wrote them."""`, ...groups, own, ''].join('\n\n').replace(/\n\n$/, '\n'); // prettier-ignore
}

const HYDRA_PLAIN = /^[\w.$/{}:+-]*$/;

/** A value as hydra reads it on a command line of bash. */
function hydra(value: Value): string {
  if (Array.isArray(value)) return `'[${value.join(',')}]'`;
  if (value === null) return 'null';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  const text = String(value);
  if (text.startsWith('$')) return `"${text}"`;
  return HYDRA_PLAIN.test(text) && !text.startsWith('{') ? text : `'${text}'`;
}

/** What does not come from a setting, and why it is needed. */
const fixedKeys = (config: RunConfig): Readonly<Record<string, Value>> => ({
  ...{ 'data.train_files': '$TRAIN_FILES', 'data.val_files': '$VAL_FILES', 'data.return_raw_chat': true },
  ...{ 'data.max_prompt_length': '$MAX_PROMPT', 'data.max_response_length': '$MAX_RESPONSE' },
  'actor_rollout_ref.model.path': '$MODEL',
  ...{ 'actor_rollout_ref.rollout.name': '$ENGINE', 'actor_rollout_ref.rollout.mode': 'async' },
  'actor_rollout_ref.rollout.calculate_log_probs': true, // surprisal of turns, and what the recorder writes
  'actor_rollout_ref.actor.use_dynamic_bsz': true,
  'actor_rollout_ref.rollout.multi_turn.enable': true,
  'actor_rollout_ref.rollout.multi_turn.format': 'hermes',
  'actor_rollout_ref.rollout.multi_turn.max_assistant_turns': (environments as Readonly<Record<string, Environment>>)[config.environment].callLimit + 1, // prettier-ignore
  'actor_rollout_ref.rollout.multi_turn.max_tool_response_length': 4096, // 256 by default, cut in the middle
  'actor_rollout_ref.rollout.multi_turn.function_tool_path': '$HERE/tools.py',
  'reward.custom_reward_function.path': '$HERE/reward.py',
  'trainer.use_v1': true,
  ...{ 'trainer.n_gpus_per_node': '$GPUS', 'trainer.nnodes': '$NODES', 'trainer.logger': '["console"]' },
  ...{ 'trainer.project_name': 'turnwise', 'trainer.experiment_name': config.algorithm.name },
  ...{ 'trainer.rollout_data_dir': '$HERE/dumps/train', 'trainer.validation_data_dir': '$HERE/dumps/val' },
});

/** All keys of the command line; those of settings last. The recorder needs the folder's trainer, too. */
export function verlKeys(config: RunConfig): ReadonlyMap<string, Value> {
  const fallback: Record<string, Value> = {
    'algorithm.adv_estimator': 'grpo',
    'trainer.v1.trainer_mode': 'turnwise',
  };
  if (rolloutPart(config.algorithm) === null)
    Object.assign(fallback, { 'actor_rollout_ref.rollout.agent.default_agent_loop': 'tool_agent' });
  const of = new Map<string, Value>(Object.entries({ ...fixedKeys(config), ...fallback }));
  for (const { said } of mapSettings(config))
    if (said.kind === 'keys') for (const [key, value] of Object.entries(said.keys)) of.set(key, value);
  return of;
}

const sentence = ({ path, value, said }: Mapped): string =>
  `${path} = ${JSON.stringify(value)}${said.kind === 'missing' ? `: ${said.note}` : ''}`;

function launchScript(config: RunConfig): string {
  const left = notExpressed(config);
  const guard = left.length === 0 ? [] : [
    `if [ -z "\${ACCEPT_DIFFERENCES:-}" ]; then`,
    `  cat >&2 <<'END'`,
    `This folder does not say all of ${config.algorithm.name}. What it trains differs in:`,
    ...left.map((each) => `  ${sentence(each)}`),
    'Run it all the same with ACCEPT_DIFFERENCES=1.',
    'END',
    '  exit 1',
    'fi',
    '',
  ]; // prettier-ignore
  const overrides = [...verlKeys(config)].map(([key, value]) => `  ${key}=${hydra(value)} \\`);
  return [
    '#!/usr/bin/env bash',
    `# ${config.algorithm.name}${editSuffix(config)} for verl ${VERL.version} at ${VERL.commit} (${VERL.date}), written by ${PROGRAM}.`,
    '# What became of each setting: README.md.',
    'set -euo pipefail',
    'HERE="$(cd "$(dirname "$0")" && pwd)"',
    '',
    '# Yours to choose.',
    'MODEL="${MODEL:?a model of Hugging Face, e.g. Qwen/Qwen3-1.7B}"',
    'TRAIN_FILES="${TRAIN_FILES:?a parquet file of prompts: prompt, data_source, reward_model.ground_truth}"',
    'VAL_FILES="${VAL_FILES:-$TRAIN_FILES}"',
    `LR="\${LR:-1e-6}" # the lab's run had ${config.optimiser.learningRate}, for its own small policy`,
    'MAX_PROMPT="${MAX_PROMPT:-1024}"',
    'MAX_RESPONSE="${MAX_RESPONSE:-4096}" # tokens, tool results included',
    ...['ENGINE="${ENGINE:-vllm}"', 'GPUS="${GPUS:-8}"', 'NODES="${NODES:-1}"'],
    '# TURNWISE_RECORD=DIR writes what each update was trained with; the lab opens these files.',
    '',
    ...guard,
    'export PYTHONPATH="$HERE${PYTHONPATH:+:$PYTHONPATH}"',
    'export VERL_USE_EXTERNAL_MODULES=turnwise_loss # registers the loss in every process',
    '',
    'python3 "$HERE/main.py" \\',
    ...overrides,
    '  "$@"',
    '',
  ].join('\n');
}

/** One world of the search environment: what tools.py looks up. */
function factsFile({ seed }: RunConfig): string {
  const facts = [...RELATIONS_OF].flatMap(([type, relations]) =>
    POOLS[type].map((entity) => [
      entity,
      Object.fromEntries([...relations.keys()].map((relation) => [relation, valueOf(seed, entity, relation)])), // prettier-ignore
    ]),
  );
  return `${JSON.stringify(Object.fromEntries(facts), null, 1)}\n`;
}

const cell = (text: string): string => text.replaceAll('|', '\\|');

function went({ said }: Mapped): string {
  if (said.kind === 'unread') return `– (${said.note})`;
  if (said.kind === 'missing') return `**not expressed**: ${said.note}`;
  const where = said.kind === 'file' ? `\`${said.file}\`` : Object.entries(said.keys).map(([key, value]) => `\`${key}=${hydra(value)}\``).join(', '); // prettier-ignore
  return said.note ? `${where}; ${said.note}` : where;
}

function readme(config: RunConfig): string {
  const { algorithm } = config;
  const left = notExpressed(config);
  const rows = mapSettings(config).map((each) => `| \`${each.path}\` | \`${cell(JSON.stringify(each.value) ?? '–')}\` | ${cell(went(each))} |`); // prettier-ignore
  const parts = { loss: lossPart(algorithm), credit: creditPart(algorithm), rollout: rolloutPart(algorithm) };
  return [
    `# ${algorithm.name} for verl`,
    '',
    `Written by ${PROGRAM} for verl ${VERL.version} at commit ${VERL.commit} (${VERL.date}), with the trainer of \`trainer.use_v1=true\`.`,
    'The arithmetic of turnwise_loss.py, turnwise_credit.py and turnwise_growth.py is checked against the lab’s; what calls verl was',
    'written from its source and has not been run on a cluster.',
    '',
    '    MODEL=Qwen/Qwen3-1.7B TRAIN_FILES=train.parquet bash launch.sh',
    '',
    `Rows of a prompt: ${algorithm.rollout.leavesPerTree}, from ${sessionsOf(config)} session${sessionsOf(config) === 1 ? '' : 's'} of verl. Loss: ${parts.loss ?? 'none that verl could run'}. Credit: ${parts.credit === null ? 'none that is in the folder' : parts.credit.kind === 'verl' ? `verl’s ${parts.credit.estimator}` : 'turnwise_credit.py'}.`, // prettier-ignore
    '',
    '| file | what |',
    '|---|---|',
    '| `launch.sh`, `main.py` | the command, every key written out; verl’s main with the parts of this folder registered |',
    '| `turnwise_settings.py` | the numbers that the Python files read |',
    '| `turnwise_loss.py` | policy loss: ratios of tokens, turns or rows, hard and soft clips, gate |',
    `| \`turnwise_credit.py\` | credit of trees: ${OWN_RULES.join(', ')} |`,
    `| \`turnwise_growth.py\` | which nodes a tree grows next: ${TREE_SHAPES.join(', ')} |`,
    '| `turnwise_trainer.py`, `agent_loops.yaml` | trainer with that credit, agent loop that grows trees, recorder |',
    '| `turnwise_recorder.py` | what an update was trained with, as verifiers v1 episodes (`TURNWISE_RECORD=DIR`) |',
    '| `tools.py`, `facts.json`, `reward.py` | the search world’s tools and the reward: put your own in their place |',
    '',
    '## Not expressed',
    '',
    ...(left.length === 0
      ? ['Nothing that belongs to the method.']
      : left.map((each) => `- ${sentence(each)}`)),
    '',
    'Whatever the method: numbers of a run are not the lab’s (another model, sampler and order), and data and model are yours.',
    '',
    '## Every setting',
    '',
    '| setting | value | in verl |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

/**
 * The folder of a run's method.
 * @returns file names without folders → text
 */
export function verlFolder(config: RunConfig): Folder {
  const templates = Object.entries(TEMPLATES).map(([path, text]) => [path.split('/').at(-1)!, text] as const);
  return new Map([
    ['README.md', readme(config)],
    ['launch.sh', launchScript(config)],
    ['turnwise_settings.py', settingsFile(config)],
    ...templates,
    ['agent_loops.yaml', '- name: turnwise_tree\n  _target_: turnwise_trainer.TurnTreeLoop\n'],
    ['facts.json', factsFile(config)],
  ]);
}
