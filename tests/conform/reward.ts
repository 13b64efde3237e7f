/** reward.json: the reference's reward on text. */
import { computeScore, hasValidFormat } from '../support/text_reward.ts';
import { Checker, FLOAT64_TOLERANCE, type FamilyReport } from './report.ts';

export interface RewardFile {
  readonly cases: readonly {
    readonly name: string;
    readonly is_validate: boolean;
    readonly response: string;
    readonly targets: readonly string[];
    readonly score: number;
    readonly em_score: number;
    readonly f1_score: number;
    readonly answer: string | null;
    readonly format_valid: boolean;
  }[];
}

export function conformReward(file: RewardFile): FamilyReport {
  const check = new Checker('reward', FLOAT64_TOLERANCE);
  for (const want of file.cases) {
    check.case(want.name, () => {
      const got = computeScore(want.response, want.targets, want.is_validate);
      check.close('reward', got.reward, want.score);
      check.close('exact match', got.exactMatch, want.em_score);
      check.close('F1', got.f1, want.f1_score);
      check.same('answer', got.answer, want.answer ?? '');
      check.same('format', hasValidFormat(want.response), want.format_valid);
    });
  }
  return check.report();
}
