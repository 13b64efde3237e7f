/** The algorithms, by name, in the order of the picker. To add one: an entry in its family's file in methods/, a line here. */
import type { Algorithm } from './algorithm.ts';
import {
  at2po,
  at2poRandom,
  randomTreeGrpo,
  randomTreeTurnLoss,
  entropyTreeTurnLoss,
  turnSoft,
} from '../methods/at2po.ts';
import { react, grpo, dapo, drGrpo, starpoS } from '../methods/grpo.ts';
import { rloo, opo, passK, remax, reinforcePp, reinforcePpBaseline } from '../methods/baselines.ts';
import { gspo, gspoSoft, gppo, gppoHalf, sapo } from '../methods/clips.ts';
import { arpo, arpoHard, aepo } from '../methods/branching.ts';
import { treeGrpo, treepo, treepsRag, dialtree, gae } from '../methods/trees.ts';
import { gtpo, igpo, a2tgpo, istar } from '../methods/turn_credit.ts';
import { bapo, rapo } from '../methods/search_agents.ts';
import { aStarPo, mctsDpo } from '../methods/row_losses.ts';

export const algorithms = {
  react,
  grpo,
  dapo,
  gspo,
  aepo,
  tree_grpo: treeGrpo,
  at2po,
  random_tree_grpo: randomTreeGrpo,
  random_tree_turn_loss: randomTreeTurnLoss,
  entropy_tree_turn_loss: entropyTreeTurnLoss,
  at2po_random: at2poRandom,
  arpo,
  arpo_hard: arpoHard,
  gppo,
  gppo_half: gppoHalf,
  sapo,
  gspo_soft: gspoSoft,
  turn_soft: turnSoft,
  dr_grpo: drGrpo,
  rloo,
  opo,
  pass_k: passK,
  remax,
  reinforce_pp: reinforcePp,
  reinforce_pp_baseline: reinforcePpBaseline,
  gae,
  a_star_po: aStarPo,
  treepo,
  gtpo,
  igpo,
  a2tgpo,
  treeps_rag: treepsRag,
  starpo_s: starpoS,
  dialtree,
  bapo,
  mcts_dpo: mctsDpo,
  rapo,
  istar,
} satisfies Record<string, Algorithm>;

export type AlgorithmName = keyof typeof algorithms;
