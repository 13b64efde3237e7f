/** BibTeX of the lab at the state on screen, and of the paper whose method it shows. CITATION.cff says the same. */
import { PROGRAM } from '../../units.ts';

/** @see https://arxiv.org/abs/2601.04767 */
const PAPER = `@inproceedings{zong2026at2po,
  title = {{AT}{$^2$}{PO}: Agentic Turn-based Policy Optimization via Tree Search},
  author = {Zong, Zefang and Chen, Dingwei and Li, Yang and Yi, Qi and Zhou, Bo and Li, Chengming and Qian, Bo and Chen, Peng and Jiang, Jie},
  booktitle = {Proceedings of the 64th Annual Meeting of the Association for Computational Linguistics (Volume 1: Long Papers)},
  year = {2026},
  eprint = {2601.04767},
  archiveprefix = {arXiv}
}`;

/**
 * @param link of the state on screen
 * @param day of access, ISO 8601
 */
export const bibtex = (link: string, day: string): string => `@software{turnwise,
  title = {Turnwise: a {WebGPU} research lab for turn-level tree reinforcement learning},
  author = {{The Turnwise maintainers}},
  version = {${PROGRAM.replace('Turnwise ', '')}},
  year = {${day.slice(0, 4)}},
  url = {${link.replaceAll('{', '%7B').replaceAll('}', '%7D')}},
  urldate = {${day.slice(0, 10)}}
}

${PAPER}
`;
