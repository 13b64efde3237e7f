import { expect, test } from 'vitest';
import {
  fault,
  hostile,
  isLarge,
  open,
  originals,
  KINDS,
  MUTATIONS,
  type Opened,
} from '../support/hostile_files.ts';

const FILES = 150; // `npm run mutate` opens as many as one wants

test('the originals are opened whole', async () => {
  const { files } = await originals();
  for (const kind of KINDS)
    expect(await open(kind, files[kind]), kind).toEqual({ outcome: 'whole', reports: [] });
});

test(`of ${FILES} hostile runs, recordings and weights each is opened as far as it stands, or refused in five parts`, async () => {
  const own = await originals();
  const outcomes: Record<string, number> = { whole: 0, 'in part': 0, refused: 0 };
  const seen = new Set<string>();
  const bombs = new Map<string, Opened>(); // the same bytes each time: opened once
  for (let number = 0; number < FILES; number += 1) {
    const { kind, mutation, bytes } = await hostile(own, 1, number);
    const name = `${kind}, ${mutation}`;
    const opened = bombs.get(name) ?? (await open(kind, bytes));
    if (isLarge(mutation)) bombs.set(name, opened);
    expect(fault(opened), `file ${number}: ${name}`).toBeNull();
    outcomes[opened.outcome] += 1;
    seen.add(mutation);
  }
  expect([...seen].toSorted()).toEqual(MUTATIONS.toSorted());
  expect(outcomes.refused).toBeGreaterThan(FILES / 4); // the mutations do bite
  expect(outcomes['in part']).toBeGreaterThan(0);
});
