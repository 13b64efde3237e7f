/** Fixtures of rollout files with a fault or two, as a disk, an editor or an attack would make them. Seeded. */
import { readdirSync } from 'node:fs';
import type { ImportFile } from '../../src/files/rollouts/source.ts';
import { fixtureFiles, IMPORTS } from './imports.ts';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

type Draw = (below: number) => number; // a whole number from 0

/** Marsaglia's xorshift32. */
function drawFrom(seed: number): Draw {
  let word = (seed * 0x9e3779b9 + 1) >>> 0 || 1;
  return (below) => {
    word ^= word << 13;
    word ^= word >>> 17;
    word ^= word << 5;
    return (word >>> 0) % below;
  };
}

const WORDS = ['null', '-1', '1e999', 'NaN', '[]', '{}', '""', '"\\u0000"', 'true', '9007199254740993', '[[[[[[[[]]]]]]]]', '"__proto__"', '"assistant"', '"<tool_response>"', '"\\nuser\\n"', '<', '\u2028']; // prettier-ignore

type Bytes = Uint8Array<ArrayBuffer>;
const encoder = new TextEncoder();
const spliced = (bytes: Bytes, at: number, gone: number, put: Uint8Array): Bytes => Uint8Array.from([...bytes.subarray(0, at), ...put, ...bytes.subarray(at + gone)]); // prettier-ignore

/** Places where a JSON value stands after a colon. */
function valueAt(text: string, draw: Draw): readonly [number, number] | null {
  const places = [...text.matchAll(/:\s*(-?\d+(?:\.\d+)?|"[^"]{0,40}"|true|false|null|\[\]|\{\})/g)];
  const found = places[draw(Math.max(1, places.length))];
  return found ? [found.index + found[0].length - found[1].length, found[1].length] : null;
}

const FAULTS: readonly ((bytes: Bytes, draw: Draw) => Bytes)[] = [
  (bytes, draw) => spliced(bytes, draw(bytes.length), 1, Uint8Array.of(draw(256))),
  (bytes, draw) => bytes.slice(0, draw(bytes.length)),
  (bytes, draw) => spliced(bytes, draw(bytes.length), draw(200), new Uint8Array(0)),
  (bytes, draw) => spliced(bytes, draw(bytes.length), 0, bytes.slice(0, draw(3000))),
  (bytes, draw) => spliced(bytes, draw(bytes.length), 0, encoder.encode('[{"'.repeat(draw(3000)))),
  (bytes, draw) => spliced(bytes, draw(bytes.length), 0, Uint8Array.of(10)),
  (bytes, draw) => replaced(bytes, draw),
  (bytes, draw) => replaced(replaced(bytes, draw), draw),
  (bytes, draw) => renamed(bytes, draw),
];

function replaced(bytes: Bytes, draw: Draw): Bytes {
  const text = new TextDecoder('latin1').decode(bytes);
  const place = valueAt(text, draw);
  return place ? spliced(bytes, place[0], place[1], encoder.encode(WORDS[draw(WORDS.length)])) : bytes;
}

function renamed(bytes: Bytes, draw: Draw): Bytes {
  const text = new TextDecoder('latin1').decode(bytes);
  const keys = [...text.matchAll(/"(\w+)"\s*:/g)];
  const [found, other] = [keys[draw(Math.max(1, keys.length))], keys[draw(Math.max(1, keys.length))]];
  return found && other ? spliced(bytes, found.index + 1, found[1].length, encoder.encode(other[1])) : bytes;
}

const NAMES = readdirSync(IMPORTS).filter((name) => !/README|\.py$/.test(name));

/** A fixture with one of its files changed; `label` names what was done. */
export function mutatedImport(seed: number): {
  readonly files: readonly ImportFile[];
  readonly label: string;
} {
  const draw = drawFrom(seed);
  const name = NAMES[draw(NAMES.length)];
  const files = [...fixtureFiles(name)];
  const at = draw(files.length);
  const { path } = files[at];
  const fault = draw(FAULTS.length);
  const bytes = FAULTS[fault](Uint8Array.from(readFileSync(join(IMPORTS, path))), draw);
  files[at] = { path, blob: new Blob([bytes]) };
  return { files, label: `seed ${seed}: fault ${fault} of ${path}` };
}
