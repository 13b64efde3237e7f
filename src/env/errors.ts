import { LabError, quote } from '../units.ts';

/** A data set that the environment does not have. */
export class UnknownDatasetError extends LabError {
  constructor(environment: string, dataset: string, known: readonly string[]) {
    super('UnknownDatasetError', {
      what: 'Unknown data set',
      where: `environment ${environment}`,
      got: quote(dataset),
      wanted: `one of ${known.join(', ')}`,
      next: 'Pick one of these in the run config.',
    });
  }
}

/** A prompt whose tokens are not a question of the environment. */
export class UnreadablePromptError extends LabError {
  constructor(environment: string, text: string) {
    super('UnreadablePromptError', {
      what: 'The prompt is not a question of this environment',
      where: `environment ${environment}`,
      got: quote(text),
      wanted: 'tokens made by its prompt()',
      next: 'Make the prompt with the environment that shall solve it.',
    });
  }
}
