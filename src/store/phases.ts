/** The engine's phases, for the page: ui imports nothing of the engine. */
export { PHASES, type Phase } from '../train/protocol.ts';
