/** Folders for verl: every setting of every method has a place, every key is one of verl's, and the Python files compute our numbers. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { assignCredit } from '../../src/algo/credit/credit.ts';
import { algorithms, type AlgorithmName } from '../../src/algo/catalogue/index.ts';
import { TREE_CREDIT } from '../../src/algo/catalogue/defaults.ts';
import { policyLoss } from '../../src/algo/loss/loss.ts';
import { ruleReward } from '../../src/algo/reward/reward_rules.ts';
import { pathTo, rowSpans } from '../../src/algo/tree/tree.ts';
import { settingsFile, verlFolder, verlKeys } from '../../src/outgrow/folder.ts';
import { creditPart, lossPart, OWN_RULES } from '../../src/outgrow/parts.ts';
import { mapSettings, notExpressed } from '../../src/outgrow/settings.ts';
import type { KnobDescription } from '../../src/protocol/protocol.ts';
import { knobCatalogue } from '../../src/train/config/catalogue.ts';
import { withSetting } from '../../src/train/config/config.ts';
import { presets } from '../../src/train/config/presets.ts';
import { ROOT, VALUE_RULES, type CreditConfig, type LossConfig, type RunConfig } from '../../src/units.ts';
import { lossConfigOf, packCase, type LossCase, type LossesFile } from '../conform/losses.ts';
import { updateOf } from '../algo/toy_updates.ts';
import { importText } from '../support/imports.ts';
import { unpackPadded } from '../support/padded.ts';
import { ask, hasPython, isWanted, nothing, type Answers } from './ask.ts';

const NAMES = Object.keys(algorithms) as AlgorithmName[];
/** With the paper's own numbers, not scaled to a preset. */
const configOf = (name: AlgorithmName): RunConfig => ({ ...presets.get('instant')!.config, algorithm: algorithms[name].config }); // prettier-ignore

const leaves = (value: unknown, path = ''): readonly string[] =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.entries(value).flatMap(([key, each]) => leaves(each, path === '' ? key : `${path}.${key}`))
    : path === 'algorithm.name' ? [] : [path]; // prettier-ignore

const valueAt = (config: RunConfig, path: string): unknown =>
  path.split('.').reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], config);

/** Whether the page shows the setting for this configuration: whether anything reads it. */
const isShown = ({ when }: KnobDescription, config: RunConfig): boolean =>
  when.every(({ path, values }) => (values as readonly unknown[]).includes(valueAt(config, path)));

function another({ range }: KnobDescription, value: unknown): unknown {
  if (range.kind === 'switch') return value !== true;
  if (range.kind === 'choice') return range.options.find((option) => option !== value);
  if (range.kind === 'choices') return range.options.filter((option) => !(value as string[]).includes(option)).slice(0, 1); // prettier-ignore
  return range.kind === 'integer' ? (value as number) + 1 : (value as number) * 0.5 + 0.26; // no setting is 0.52
}

/** Shown, and without effect at the values beside them; and what a small policy has and the folder does not take over. */
const IDLE = /reward\.overlongPenalty|loss\.klKind|optimiser\.learningRate|rollout\.segmentTokens/;

describe('the folder', () => {
  const known = new Set((JSON.parse(readFileSync('tests/fixtures/verl_keys.json', 'utf8')) as { keys: string[] }).keys); // prettier-ignore

  test.each(NAMES)('%s: every setting has its place, every key is one of verl’s', (name) => {
    const config = configOf(name);
    const mapped = mapSettings(config);
    expect(new Set(mapped.map(({ path }) => path))).toEqual(new Set([...leaves(config), 'editedKernel']));
    expect([...verlKeys(config).keys()].filter((key) => !known.has(key))).toEqual([]);
    const folder = verlFolder(config);
    for (const { said } of mapped) if (said.kind === 'file') expect(folder.has(said.file)).toBe(true);
    for (const { path, said } of notExpressed(config)) {
      expect(folder.get('README.md')).toContain(`- ${path} = `);
      expect(said.kind === 'missing' && folder.get('launch.sh')!.includes(said.note)).toBe(true);
    }
    expect(folder.get('launch.sh')).toContain(`the lab's run had ${config.optimiser.learningRate}`);
    expect(folder.get('launch.sh')!.includes('ACCEPT_DIFFERENCES')).toBe(notExpressed(config).length > 0);
  });

  test('what a method reads reaches the command or the settings, or is named: no setting is dropped in silence', () => {
    const silent: string[] = [];
    const told = (of: RunConfig): string => JSON.stringify([...verlKeys(of), settingsFile(of), notExpressed(of).map(({ path }) => path)]); // prettier-ignore
    const knobs = knobCatalogue();
    for (const name of NAMES) {
      const config = configOf(name);
      const own = told(config);
      const places = new Map(mapSettings(config).map(({ path, said }) => [path, said.kind]));
      for (const knob of knobs) {
        const { path } = knob;
        if (places.get(path) === 'missing' || !isShown(knob, config) || IDLE.test(path)) continue;
        if (told(withSetting(config, path, another(knob, valueAt(config, path)))) === own) silent.push(path);
      }
    }
    expect([...new Set(silent)]).toEqual([]);
  });

  test('methods that verl has run on its own parts; tree credit on the folder’s; what is in neither is said', () => {
    const partsOf = (name: AlgorithmName) => {
      const { algorithm } = configOf(name);
      return [lossPart(algorithm), creditPart(algorithm), notExpressed(configOf(name)).length];
    };
    expect(partsOf('grpo')).toEqual(['vanilla', { kind: 'verl', estimator: 'grpo' }, 0]);
    expect(partsOf('gspo')).toEqual(['gspo', { kind: 'verl', estimator: 'grpo' }, 0]);
    expect(partsOf('sapo')).toEqual(['sapo', { kind: 'verl', estimator: 'grpo' }, 0]);
    expect(partsOf('remax')[1]).toEqual({ kind: 'verl', estimator: 'remax' });
    expect(partsOf('at2po')).toEqual(['turnwise', { kind: 'own' }, 0]);
    expect(partsOf('react')[0]).toBe('evaluation');
    for (const name of ['gppo', 'gspo_soft', 'turn_soft'] as const) expect(partsOf(name)[0]).toBe('turnwise');
    for (const name of ['a2tgpo', 'igpo', 'istar', 'rapo', 'mcts_dpo', 'a_star_po', 'gtpo', 'bapo'] as const)
      expect(partsOf(name)[2], name).toBeGreaterThan(0); // prettier-ignore
  });
});

/** Rows of the table in docs/outgrow.md whose methods run whole; those of the others say what is missing. */
const WHOLE_ROWS = 4;

test('docs/outgrow.md sorts the methods as the folder does: those of its first rows are said whole, the others are not', () => {
  const rows = readFileSync('docs/outgrow.md', 'utf8').split('\n').filter((line) => /^\| (?!methods)[a-z][\w, ]* \|/.test(line)); // prettier-ignore
  const ablations = ['at2po_random', 'random_tree_grpo', 'random_tree_turn_loss', 'entropy_tree_turn_loss'];
  const named = rows.map((line) => line.split('|')[1].split(',').map((each) => each.trim()).flatMap((each) => each === 'its ablations' ? ablations : each === 'arpo' ? ['arpo', 'arpo_hard'] : [each])); // prettier-ignore
  expect(named.flat().toSorted()).toEqual(NAMES.toSorted());
  const whole = NAMES.filter((name) => notExpressed(configOf(name)).length === 0);
  expect(named.slice(0, WHOLE_ROWS).flat().toSorted()).toEqual(whole.toSorted());
  expect(whole).toHaveLength(28);
});

const fixture = JSON.parse(readFileSync('tests/fixtures/losses.json', 'utf8')) as LossesFile;

/** Fixtures with the settings of every family and every reduction; the first of each family under other settings too. */
const CASES = Object.entries(fixture.families).flatMap(([family, cases]) =>
  (cases as readonly LossCase[]).flatMap((want, at) => {
    const loss = lossConfigOf(family, want);
    if (!loss || loss.entropyAdvantage !== 0) return []; // verl hands its losses no entropies: not expressed
    const others: readonly Partial<LossConfig>[] = [{}, { reduction: 'seq-mean-token-sum', upperFactor: 0.75, lowerFactor: 0.5 }, { ratioLevel: 'turn', dualClip: 3, logRatioCap: 0.05 }]; // prettier-ignore
    return others.slice(0, at === 0 ? 3 : 1).map((other) => ({ name: `${family} ${want.name} ${JSON.stringify(other)}`, want, loss: { ...loss, ...other } })); // prettier-ignore
  }),
);

const lossQuestion = CASES.map(({ want, loss }) => {
  const tokens = packCase(want, loss);
  const weight = unpackPadded(tokens, Array.from(tokens.weight));
  return { loss, oldLogProb: want.old_log_prob, logProb: want.log_prob, advantage: want.advantages, mask: want.response_mask, weight: weight.map((row) => row.map((each) => each || 0)) }; // prettier-ignore
});

function checkLosses(said: Answers['losses']): void {
  CASES.forEach(({ name, want, loss }, at) => {
    const tokens = packCase(want, loss);
    const ours = policyLoss(tokens, loss);
    const expected = { losses: unpackPadded(tokens, ours.tokenLoss), gradient: unpackPadded(tokens, ours.dlogProb) }; // prettier-ignore
    for (const of of ['losses', 'gradient'] as const)
      want.response_mask.forEach((row, b) =>
        row.forEach((scored, t) => {
          const wanted = scored ? expected[of][b][t] : 0;
          const got = scored || of === 'gradient' ? said[at][of][b][t] : 0;
          if (!(Math.abs(got - wanted) <= 1e-11 + 1e-10 * Math.abs(wanted)))
            expect.fail(`${name}, ${of}[${b}][${t}]: got ${got}, wanted ${wanted}`);
        }),
      );
    const isWhole = want.response_mask.every((row) => row.some((bit) => bit === 1)); // verl counts no empty row
    const rows = loss.reduction === 'seq-mean-token-sum-norm' ? want.response_mask.length : 1; // verl divides by them, too
    const scale = 1 + Math.max(...Array.from(ours.tokenLoss, Math.abs));
    if (isWhole && !(Math.abs(said[at].whole * rows - ours.loss) <= 1e-7 * scale))
      // its means add 1e-8 to counts
      expect.fail(`${name}, whole: got ${said[at].whole * rows}, wanted ${ours.loss}`);
  });
}

describe.runIf(isWanted)('the Python files', () => {
  test(`the loss and its gradient, as shipped, on a shim of PyTorch: ${CASES.length} fixtures`, async () => {
    expect(CASES.length).toBeGreaterThan(60);
    checkLosses((await ask({ ...nothing, losses: lossQuestion })).losses);
  });

  const torch = hasPython && spawnSync('python3', ['-c', 'import torch']).status === 0;
  if (!torch) console.info('PyTorch is not here: the loss ran on the shim only.');
  test.runIf(torch)('the loss and its gradient, by PyTorch itself', async () => {
    checkLosses((await ask({ ...nothing, losses: lossQuestion }, '--torch')).losses);
  });

  test('credit: each rule of the folder on random trees, under each value rule, is the lab’s', async () => {
    const updates = await Promise.all(OWN_RULES.map((_, seed) => updateOf(seed + 1)));
    const cases = OWN_RULES.flatMap((advantageRule, seed) =>
      VALUE_RULES.map((valueRule, at) => {
        const rules: CreditConfig = { ...TREE_CREDIT, advantageRule, valueRule, leafNormalisation: at % 2 === 0, discount: 0.9, lambda: 0.8 }; // prettier-ignore
        return { rules, update: updates[seed].filter(({ tree }) => tree.nodes.every(({ retrieved }) => !retrieved)) }; // prettier-ignore
      }),
    );
    const said = await ask({
      ...nothing,
      credit: cases.map(({ rules, update }) => ({
        rules,
        trees: update.map(({ tree, rewards }) => ({
          parent: tree.nodes.map(({ parent }) => parent),
          leaves: tree.leaves,
          rewards: Object.fromEntries(tree.leaves.map((leaf) => [leaf, rewards[leaf]])),
          surprisal: tree.nodes.map(({ turnSurprisal }) => turnSurprisal ?? 0),
          tokens: tree.nodes.map(({ mask }) => mask.filter((bit) => bit === 1).length),
          root_of: tree.nodes.map((node) => node.tree),
        })),
      })),
    });
    expect(said.rules).toEqual([...OWN_RULES].toSorted());
    cases.forEach(({ rules, update }, at) => {
      const credit = assignCredit(update, rules);
      const wanted = update.flatMap(({ tree }, t) =>
        tree.leaves.map((leaf) => {
          const { byNode, byLeaf, byToken } = credit[t].advantages;
          const spans = new Map(rowSpans(tree, leaf).map((span) => [span.node, span]));
          return pathTo(tree, leaf).filter((id) => id !== ROOT).map((id) => {
            const place = spans.get(id)!.start + tree.nodes[id].mask.indexOf(1);
            return byToken?.[leaf]?.[place] ?? byLeaf?.[leaf] ?? byNode[id];
          }); // prettier-ignore
        }),
      );
      const rounded = wanted.map((row) => row.map((each) => expect.closeTo(each, 9) as unknown));
      expect(said.credit[at], `${rules.advantageRule}, ${rules.valueRule}`).toEqual(rounded);
    });
  });

  test('the recorder’s lines open here: groups, rewards, masks, and the numbers of sampler and trainer', async () => {
    const row = (key: string, reward: number) => ({
      ...{ uid: 'q1', key, step: 7, prompts: [1, 2, 3], responses: [4, 5, 6, 7, 8, 9] },
      ...{ response_mask: [1, 1, 0, 0, 1, 1], reward, ground_truth: 'Ana' },
      ...{ rollout_log_probs: [-1, -2, 0, 0, -3, -4], old_log_probs: [-1.5, -2.5, 0, 0, -3.5, -4.5] },
      ...{ advantages: [0.5, 0.5, 0, 0, 0.25, 0.25], entropies: [1, 2, 0, 0, 3, 4] },
    });
    const { episodes } = await ask({ ...nothing, rows: [row('q1_0_0', 1), row('q1_1_0', 0)] });
    const { rollouts, summary } = await importText(episodes.join('\n'));
    expect([summary.tier, summary.groups, summary.rewards]).toEqual(['C', 1, [1, 0]]);
    const [prompt, first, tool, second] = rollouts[0].rows[0].spans;
    expect([prompt.author, first.author, tool.author, second.author]).toEqual([
      'user',
      'policy',
      'tool',
      'policy',
    ]);
    expect([rollouts[0].step, rollouts[0].answer, first.advantage, second.advantage]).toEqual([
      7,
      'Ana',
      0.5,
      0.25,
    ]);
    expect(second.tokens).toMatchObject({ ids: [8, 9], logProbs: [-3, -4], trainerLogProbs: [-3.5, -4.5], entropies: [3, 4], advantages: [0.25, 0.25] }); // prettier-ignore
    expect(tool.tokens?.mask).toEqual([false, false]);
  });

  test('rewards: the rules of one row, on texts right, wrong and malformed; a rule of groups is refused', async () => {
    const texts = ['<answer> Ana </answer>', '<answer> Ben </answer>', 'Ana', 'Ben', ''] as const;
    const rules = ['f1', 'exact_match', 'format_credit'] as const;
    const asked = rules.flatMap((rule) => texts.map((text) => [text, 'Ana', rule] as const));
    const { scores } = await ask({ ...nothing, scores: [...asked, ['Ana', 'Ana', 'boundary']] });
    asked.forEach(([text, , rule], at) => {
      const answer = text === '' ? null : [];
      const grade = { exactMatch: text.includes('Ana') ? 1 : 0, f1: Number(text.includes('Ana')), formatValid: text.startsWith('<'), answer, unknown: false, toolsUsed: 0 } as const; // prettier-ignore
      expect(scores[at], `${rule} of ${text}`).toBe(ruleReward(rule, grade, false));
    });
    expect(scores.at(-1)).toMatch(/wanted environment, exact_match, f1 or format_credit/);
  });
});
