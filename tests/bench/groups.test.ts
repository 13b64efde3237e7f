import { beforeAll, describe, expect, test } from 'vitest';
import { kernels } from '../../shaders/index.ts';
import {
  countGroups,
  ENOUGH_GROUPS,
  FEW_GROUPS,
  groupTable,
  type CountedDispatch,
} from '../../bench/groups.ts';
import { presets } from '../../bench/work.ts';

type Preset = keyof typeof presets;
type Counted = Awaited<ReturnType<typeof countGroups>>;
const counted = new Map<Preset, Promise<Counted>>(); // each preset once: kernels and buffers are made for it
function countsOf(preset: Preset): Promise<Counted> {
  const counts = counted.get(preset) ?? countGroups(presets[preset]);
  counted.set(preset, counts);
  return counts;
}

describe.each(['small', 'brief', 'classroom', 'medium', 'large'] as const)(
  'on a graphics card, %s',
  (preset) => {
    let train: readonly CountedDispatch[];
    let decode: readonly CountedDispatch[];
    beforeAll(async () => {
      ({ train, decode } = await countsOf(preset));
    });

    test('every kernel has enough workgroups, or a reason why not', () => {
      const few = [...train, ...decode].filter(({ groups }) => groups < ENOUGH_GROUPS);
      expect(few.filter(({ kernel }) => !(kernel in FEW_GROUPS))).toEqual([]);
    });

    test('tiles that are said to make more than 192 groups do', () => {
      const tiles = [...train, ...decode].filter(({ kernel }) => FEW_GROUPS[kernel]?.startsWith('more than 192 groups, see')); // prettier-ignore
      expect(tiles.length).toBeGreaterThan(0);
      expect(tiles.filter(({ groups }) => groups <= 192)).toEqual([]);
    });

    test('no kernel runs that has a twin for cards', () => {
      const seen = new Set<string>([...train, ...decode].map(({ kernel }) => kernel));
      const replaced = Object.values(kernels).flatMap(({ name, ...kernel }) =>
        'onCards' in kernel && kernel.onCards?.some((twin) => 'kernel' in twin && twin.kernel) ? [name] : [],
      );
      expect(replaced).toContain('matmul_tn');
      expect(replaced.filter((name) => seen.has(name) || seen.has(`${name}_quads`))).toEqual([]);
    });
  },
);

async function stepOf(preset: Preset) {
  const { train } = await countsOf(preset);
  return (label: string) =>
    train.filter((each) => each.label === label).map(({ kernel, groups }) => [kernel, groups]);
}

test('a step of large has the groups that its shapes say', async () => {
  const groupsOf = await stepOf('large');
  // 2,048 tokens; weights of 3,072 × 512, 512 × 1,536 and 512 × 512 in tiles of 64, 32 and 32.
  const gradients = ['mlp.gate_up_proj', 'mlp.down_proj', 'attn.o_proj'].map((name) =>
    groupsOf(`layers.0.${name}.weight, weight gradient`),
  );
  const tiles = [48 * 8, 16 * 48, 16 * 16];
  expect(gradients).toEqual(tiles.map((groups) => [['matmul_tn_tiles', groups]]));
  expect(groupsOf('logits')).toEqual([['matmul_nt_tiles', 16 * 64]]); // tiles of 128
});

test('a step of medium has the groups that its shapes say', async () => {
  const groupsOf = await stepOf('medium');
  // 4,096 tokens; a weight of 1,536 × 256 in tiles of 32, one of 256 × 256 in tiles of 16.
  expect(groupsOf('layers.0.mlp.gate_up_proj.weight, weight gradient')).toEqual([
    ['matmul_tn_tiles', 48 * 8],
  ]);
  expect(groupsOf('layers.0.attn.o_proj.weight, weight gradient')).toEqual([
    ['matmul_tn_small_tiles', 16 * 16],
  ]);
  expect(groupsOf('logits')).toEqual([['matmul_nt_tiles', 32 * 16]]); // tiles of 128
});

test('the table says what is missing', () => {
  const table = groupTable('a step', [
    { kernel: 'new_kernel', label: '', groups: 3 },
    { kernel: 'adamw', label: '', groups: 300 },
  ]);
  expect(table).toContain('| new_kernel | 1 | 3 | **no reason given** |');
  expect(table).toContain('| adamw | 1 | 300 |  |');
});
