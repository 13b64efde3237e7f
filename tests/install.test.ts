/** What a fresh machine installs. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

interface LockFile {
  readonly packages: Record<
    string,
    { readonly optionalDependencies?: object; readonly dependencies?: object; readonly version?: string }
  >;
}

test.each(['.', 'bench'])(
  'the lock file of %s names every package of every platform, so that npm ci works on all',
  (folder) => {
    const { packages } = JSON.parse(readFileSync(`${folder}/package-lock.json`, 'utf8')) as LockFile;
    const paths = Object.keys(packages);
    expect(paths.length).toBeGreaterThan(5);
    const missing = Object.entries(packages).flatMap(([path, entry]) =>
      Object.keys({ ...entry.dependencies, ...entry.optionalDependencies })
        .filter((name) => !paths.some((other) => other.endsWith(`node_modules/${name}`)))
        .map((name) => `${path} needs ${name}`),
    );
    expect(missing).toEqual([]);
  },
);
