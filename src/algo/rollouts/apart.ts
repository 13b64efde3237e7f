/** Trees that do not wait for each other. */
import type { Prompt, RolloutTree } from '../../units.ts';
import type { RolloutObserver } from './growing.ts';

const ROUNDS = 2 ** 20; // more than one phase of a tree has

/** What one tree has to tell, until it is its turn. */
interface Telling {
  time: number; // phase · ROUNDS + round of sampling; a phase begins with an expansion, and with the choice of leaves
  done: boolean;
  readonly untold: { readonly time: number; readonly tell: () => void }[];
}

/**
 * Tells of several trees in an order that only the trees decide, not who was faster: by phase, round and tree, as if
 * they had grown round by round together. What a tree tells waits until no other can tell of an earlier time.
 */
class Order {
  readonly #trees: readonly Telling[];

  constructor(count: number) {
    this.#trees = Array.from({ length: count }, () => ({ time: 0, done: false, untold: [] }));
  }

  /** An observer for one tree. */
  of(index: number, { onNode, onExpansion, onLeaves, onRound, signal }: RolloutObserver): RolloutObserver {
    const tree = this.#trees[index];
    const later =
      <Event extends unknown[]>(opensPhase: boolean, listener?: (...event: Event) => void) =>
      (...event: Event): void => {
        if (opensPhase) tree.time = (Math.floor(tree.time / ROUNDS) + 1) * ROUNDS;
        tree.untold.push({ time: tree.time, tell: () => listener?.(...event) });
        this.#tell();
      };
    return {
      onNode: later(false, onNode),
      onExpansion: later(true, onExpansion),
      onLeaves: later(true, onLeaves),
      onRound: async () => {
        tree.time += 1;
        this.#tell();
        await onRound?.();
      },
      ...(signal && { signal }),
    };
  }

  end(index: number): void {
    this.#trees[index].done = true;
    this.#tell();
  }

  #tell(): void {
    for (let next = this.#next(); next; next = this.#next()) next.untold.shift()?.tell();
  }

  /** The tree whose turn it is, if it has something to tell. */
  #next(): Telling | null {
    let next: Telling | null = null;
    let least = Infinity;
    for (const tree of this.#trees) {
      const time = tree.untold.length > 0 ? tree.untold[0].time : tree.done ? Infinity : tree.time;
      if (time < least) [next, least] = [tree, time];
    }
    return next && next.untold.length > 0 ? next : null;
  }
}

/**
 * Grows every prompt's tree by itself, all at the same time: a policy whose calls may join each other samples the next
 * turns of one tree while it still samples another's. A tree is the same whoever grows beside it, since its random
 * numbers are named by its prompt, its nodes and its own order. After the first failure the others end at their next
 * round.
 * @param grow one prompt's trees; it must tell this observer of its rounds
 * @throws what the first tree that failed threw
 */
export async function growApart(
  prompts: readonly Prompt[],
  observer: RolloutObserver,
  grow: (prompt: Prompt, observer: RolloutObserver) => Promise<readonly RolloutTree[]>,
): Promise<readonly RolloutTree[]> {
  const failures: unknown[] = [];
  const order = new Order(prompts.length);
  const onRound = async (): Promise<void> => {
    await observer.onRound?.();
    if (failures.length > 0) throw failures[0];
  };
  const trees = await Promise.all(
    prompts.map(async (prompt, index) => {
      try {
        const grown = await grow(prompt, order.of(index, { ...observer, onRound }));
        order.end(index);
        return grown;
      } catch (failure) {
        failures.push(failure);
        return [];
      }
    }),
  );
  if (failures.length > 0) throw failures[0];
  return trees.flat();
}
