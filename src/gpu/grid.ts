/** WebGPU's default maxComputeWorkgroupsPerDimension. */
export const GRID_LIMIT = 65535;

/**
 * A grid of at least `groups` workgroups within the limit per dimension. In WGSL the group's number is
 * `group.x + group.y * groupCount.x`, with `groupCount` the builtin num_workgroups; groups past the end must return.
 */
export function foldGrid(groups: number): readonly [number, number, number] {
  if (groups <= GRID_LIMIT) return [groups, 1, 1];
  const rows = Math.ceil(groups / GRID_LIMIT);
  return [Math.ceil(groups / rows), rows, 1];
}
