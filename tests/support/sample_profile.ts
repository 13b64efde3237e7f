/** A profiled update with fixed numbers, for tests and pictures of the Profile view. */
import type { ProfiledUpdate, ProfileRow } from '../../src/protocol/protocol.ts';

export const row = (
  program: string,
  kernel: string,
  label: string,
  numbers: readonly (number | null)[],
): ProfileRow => {
  const [dispatches, ms, flops, bytes, groups] = numbers;
  const counts = { dispatches: dispatches ?? 0, groups: groups ?? 0, ms: ms ?? 0 };
  return { program, kernel, label, ...counts, flops, bytes };
};

export const PROFILE: ProfiledUpdate = {
  update: 1,
  method: 'timestamps',
  wallMs: 2000,
  busyMs: 1500,
  rows: [
    row('forward', 'matmul_nt', 'layer 0: gate and up', [10, 200, 4e8, 2e7, 400]),
    row('decode', 'matmul_nt', 'layer 0: gate and up', [100, 600, 8e8, 4e7, 400]),
    row('forward', 'attention_forward', 'attention_forward', [10, 700, null, 1e7, 40]),
  ],
  untimed: 3,
  memory: [
    { owner: 'activations', buffers: 60, bytes: 40_000_000 },
    { owner: 'parameters', buffers: 6, bytes: 1_500_000 },
  ],
  ceilings: { flopsPerSecond: 1e10, bytesPerSecond: 1e9, launchMs: 0.05, fillingGroups: 8 },
};
