/**
 * prime-rl's files beside its stream. The index names the traces of every row of the stream. Annotations: what trainer and orchestrator say of a trace after it was written, in files beside the stream.
 * The later record of a trace wins, field by field. Source: src/prime_rl/monitors/file/traces/update.py.
 */
import * as v from 'valibot';
import type { Annotation, Item } from './format.ts';
import { anyNumber, maybe, numberList } from './messages.ts';
import type { MaybeNumbers, Place } from './rollout.ts';
import { isTable, partsOf, type ImportFile } from './source.ts';
import { valuesOf } from './values.ts';

const BRANCH_FIELDS = ['advantages', 'trainer_logprobs', 'entropies', 'is_masked'] as const;
const branch = v.looseObject({
  index: v.number(),
  ...{ advantages: maybe(numberList), trainer_logprobs: maybe(numberList), entropies: maybe(numberList) },
  is_masked: maybe(v.array(v.nullable(v.union([v.boolean(), v.number()])))),
});
const row = v.looseObject({
  ...{ trace_id: v.string(), advantage: maybe(anyNumber), branches: maybe(v.array(branch)) },
  info: maybe(v.looseObject({ advantage: maybe(anyNumber) })),
});

function folded(before: Annotation | undefined, read: v.InferOutput<typeof row>): Annotation {
  const branches = new Map(before?.branches);
  for (const each of read.branches ?? []) {
    const lists = BRANCH_FIELDS.flatMap((field) => {
      const list: readonly unknown[] | null | undefined = each[field];
      return list ? [[field, list.map((entry) => (entry === null ? null : Number(entry)))] as const] : [];
    });
    const own: Readonly<Record<string, MaybeNumbers>> = {
      ...branches.get(each.index),
      ...Object.fromEntries(lists),
    };
    branches.set(each.index, own);
  }
  return { advantage: read.info?.advantage ?? read.advantage ?? before?.advantage ?? null, branches };
}

/** Adds what one file says; rows that say nothing of a trace are told as refused. */
export async function* readAnnotations(
  file: ImportFile,
  into: Map<string, Annotation>,
): AsyncGenerator<Item> {
  for await (const part of partsOf(file)) {
    if (isTable(part)) continue;
    for await (const { value, path, line } of valuesOf(part)) {
      const read = v.safeParse(row, value);
      if (read.success) into.set(read.output.trace_id, folded(into.get(read.output.trace_id), read.output));
      else yield refused(path, line);
    }
  }
}

const refused = (path: string, line: number): Item => ({
  kind: 'refused',
  refusal: {
    ...{ path, line },
    report: {
      what: 'An annotation is not as prime-rl writes it',
      where: `${path}, line ${line}`,
      got: 'a row without trace_id, or with lists that are none',
      wanted: '{"trace_id": …, "info": …, "branches": […]}',
      next: 'The trace is read without it.',
    },
  },
});

const indexRow = v.looseObject({ trace_ids: v.array(v.string()) });

/** The traces of each row of the stream, as its index has them. */
export async function* indexedTraces(
  file: ImportFile,
): AsyncGenerator<{ readonly place: Place; readonly traces: readonly string[] }> {
  for await (const part of partsOf(file)) {
    if (isTable(part)) continue;
    for await (const { value, path, line } of valuesOf(part)) {
      const read = v.safeParse(indexRow, value);
      if (read.success) yield { place: { path, line }, traces: read.output.trace_ids };
    }
  }
}
