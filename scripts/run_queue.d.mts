import type { LabResult } from '../src/train/engine/lab.ts';

export function condense(result: LabResult): Readonly<Record<string, unknown>>;
export function leftIn(folder: string, name: string, options: readonly string[]): string;
