/** The algorithms, by name, in the order of the picker. To add one: write its file in methods/, add its line. */
import type { Algorithm } from './algorithm.ts';
import { a2tgpo } from '../methods/a2tgpo.ts';
import { aStarPo } from '../methods/a_star_po.ts';
import { aepo } from '../methods/aepo.ts';
import { arpo } from '../methods/arpo.ts';
import { arpoHard } from '../methods/arpo_hard.ts';
import { at2po } from '../methods/at2po.ts';
import { at2poRandom } from '../methods/at2po_random.ts';
import { bapo } from '../methods/bapo.ts';
import { dapo } from '../methods/dapo.ts';
import { dialtree } from '../methods/dialtree.ts';
import { drGrpo } from '../methods/dr_grpo.ts';
import { entropyTreeTurnLoss } from '../methods/entropy_tree_turn_loss.ts';
import { gae } from '../methods/gae.ts';
import { gppo } from '../methods/gppo.ts';
import { gppoHalf } from '../methods/gppo_half.ts';
import { grpo } from '../methods/grpo.ts';
import { gspo } from '../methods/gspo.ts';
import { gspoSoft } from '../methods/gspo_soft.ts';
import { gtpo } from '../methods/gtpo.ts';
import { igpo } from '../methods/igpo.ts';
import { istar } from '../methods/istar.ts';
import { mctsDpo } from '../methods/mcts_dpo.ts';
import { opo } from '../methods/opo.ts';
import { passK } from '../methods/pass_k.ts';
import { randomTreeGrpo } from '../methods/random_tree_grpo.ts';
import { randomTreeTurnLoss } from '../methods/random_tree_turn_loss.ts';
import { rapo } from '../methods/rapo.ts';
import { react } from '../methods/react.ts';
import { reinforcePp } from '../methods/reinforce_pp.ts';
import { reinforcePpBaseline } from '../methods/reinforce_pp_baseline.ts';
import { remax } from '../methods/remax.ts';
import { rloo } from '../methods/rloo.ts';
import { sapo } from '../methods/sapo.ts';
import { starpoS } from '../methods/starpo_s.ts';
import { treeGrpo } from '../methods/tree_grpo.ts';
import { treepo } from '../methods/treepo.ts';
import { treepsRag } from '../methods/treeps_rag.ts';
import { turnSoft } from '../methods/turn_soft.ts';

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
