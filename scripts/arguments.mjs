// What command lines have in common.
import { realpathSync } from 'node:fs';
import { shorten } from './shorten.mjs';

/** Whether node was started with this file, by links or not; else it is a part of another command, or under test. */
export const isStarted = (file) => process.argv[1] !== undefined && realpathSync(process.argv[1]) === file;

/** Ends the command with a sentence. */
export const fail = (message) => {
  console.error(message);
  process.exit(2);
};

/** `path=value` of --set. */
export function setting(text) {
  const at = text.indexOf('=');
  if (at < 1)
    fail(
      `--set: got ${shorten(text)}, wanted path=value, e.g. --set algorithm.rollout.picks=4. See npm run lab -- --list.`,
    );
  return [text.slice(0, at), text.slice(at + 1)];
}

/** --jobs as a number. */
export function jobsOf(text) {
  const jobs = Number(text);
  return Number.isInteger(jobs) && jobs >= 1
    ? jobs
    : fail(`--jobs: got ${shorten(text)}, wanted a whole number of at least 1.`);
}
