import type { Contender } from '../contender.ts';

export const contenders: Readonly<Record<string, () => Promise<{ readonly default: Contender }>>>;
