/** Every format, one line each; the first that knows a row reads its file, so those with clearer signs stand first. */
import type { Format } from '../format.ts';
import { lightningEvents, lightningSpans, lightningTrajectories } from './agent_lightning.ts';
import { chat, ragen, rolloutViz, skyrl, tauBench } from './chat.ts';
import { inspectLog, inspectSample } from './inspect.ts';
import { openTelemetry } from './otel.ts';
import { atif, atropos, nemoGym } from './responses.ts';
import { rllm, rllmGateway } from './rllm.ts';
import { trl } from './trl.ts';
import { verifiersEpisodes } from './verifiers_episodes.ts';
import { verifiersResults } from './verifiers_results.ts';
import { arpoEvaluation, printedText, verl } from './verl.ts';
import { verlMlflow, verlTrackio, verlWeave } from './verl_trace.ts';

export const formats: readonly Format[] = [
  printedText,
  verlMlflow,
  verlWeave,
  verlTrackio,
  verifiersEpisodes,
  nemoGym,
  atropos,
  atif,
  rllm,
  rllmGateway,
  lightningSpans,
  lightningEvents,
  lightningTrajectories,
  openTelemetry,
  inspectLog,
  inspectSample,
  arpoEvaluation,
  verl,
  skyrl,
  tauBench,
  ragen,
  rolloutViz,
  verifiersResults,
  trl,
  chat,
];
