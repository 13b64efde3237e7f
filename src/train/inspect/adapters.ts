/** Which adapters there are beside the one that the engine computes on. */
import type { AdapterChoice } from '../../protocol/protocol.ts';
import type { QuestionKind } from './question.ts';

const ONE: AdapterChoice = { inUse: 'high-performance', other: null, refused: null };

export const adapters: QuestionKind<Readonly<Record<never, never>>, AdapterChoice> = {
  parse: () => ({}),
  async answer(_, lender) {
    const backend = await lender.backend();
    return (await backend.adapterChoice?.()) ?? ONE;
  },
};
