/** The two kinds of adapter that a browser gives, by power preference: which one opens, and whether the other is another one. */
import { LabError, type ErrorReport } from '../units.ts';

const OTHER = {
  'high-performance': 'low-power',
  'low-power': 'high-performance',
} as const satisfies Record<GPUPowerPreference, GPUPowerPreference>;

/**
 * Opens the wanted kind, else the other.
 * @returns what `open` gave, the kind that it is of, and why it is not the wanted one (null where it is)
 * @throws what `open` threw of the wanted kind, where neither opens
 */
export async function firstToOpen<Opened extends object>(
  wanted: GPUPowerPreference,
  open: (powerPreference: GPUPowerPreference) => Promise<Opened>,
): Promise<Opened & { readonly powerPreference: GPUPowerPreference; readonly refused: ErrorReport | null }> {
  try {
    return { ...(await open(wanted)), powerPreference: wanted, refused: null };
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    const instead = await open(OTHER[wanted]).catch(() => null);
    if (!instead) throw error;
    return { ...instead, powerPreference: OTHER[wanted], refused: error.report };
  }
}

/**
 * Asks for the other kind of adapter; no device is made of it.
 * @returns null where there is none, or it cannot be told from the one in use
 */
export async function otherAdapter(
  gpu: GPU,
  inUse: GPUAdapter,
  powerPreference: GPUPowerPreference,
): Promise<GPUAdapter | null> {
  const other = await gpu.requestAdapter({ powerPreference: OTHER[powerPreference] }).catch(() => null);
  return other && traitsOf(other) !== traitsOf(inUse) ? other : null;
}

/** All that a browser tells of an adapter. Where it keeps names to itself, limits and features tell two apart. */
function traitsOf({ info, limits, features }: GPUAdapter): string {
  const { vendor, architecture, device, description } = info;
  const names = [vendor, architecture, device, description];
  const bounds: unknown[] = [];
  for (const name in limits) bounds.push(name, limits[name as keyof GPUSupportedLimits]); // getters of its prototype
  return JSON.stringify([names, bounds, [...features].sort()]);
}
