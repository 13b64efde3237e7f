/** What checking one family of fixtures gives, and the comparisons that fill it. Framework-free. */

export interface FamilyReport {
  readonly name: string; // file/family, e.g. 'losses/atpo'
  readonly cases: number;
  readonly worstError: number; // largest |got − want| / max(1, |want|) over all numbers; 0 if only decisions
  readonly tolerance: number;
  readonly passed: boolean;
  readonly failures: readonly string[]; // first few misses, one line each
}

/** A family that a file holds and we do not implement: listed, neither passed nor failed. */
export interface UnknownFamily {
  readonly name: string;
  readonly cases: number;
  readonly notImplemented: true;
}

export type ConformResult = FamilyReport | UnknownFamily;

export const unknownFamily = (name: string, cases: number): UnknownFamily => ({
  name,
  cases,
  notImplemented: true,
});

const SHOWN_FAILURES = 5;

/** Collects misses of one family. */
export class Checker {
  readonly name: string;
  readonly tolerance: number;
  private cases = 0;
  private worstError = 0;
  private missCount = 0;
  private readonly failures: string[] = [];
  private place = '';

  constructor(name: string, tolerance: number) {
    this.name = name;
    this.tolerance = tolerance;
  }

  /** Runs one case; an error thrown in it is a miss of that case. */
  case(name: string, check: () => void): void {
    this.cases += 1;
    this.place = name;
    try {
      check();
    } catch (error) {
      this.miss(error instanceof Error ? `threw ${error.message}` : `threw ${String(error)}`);
    }
  }

  /** As `case`, for checks that wait. */
  async caseAsync(name: string, check: () => Promise<void>): Promise<void> {
    this.cases += 1;
    this.place = name;
    try {
      await check();
    } catch (error) {
      this.miss(error instanceof Error ? `threw ${error.message}` : `threw ${String(error)}`);
    }
  }

  private miss(line: string): void {
    this.missCount += 1;
    if (this.failures.length < SHOWN_FAILURES) this.failures.push(`${this.place}: ${line}`);
  }

  /** Numbers within the tolerance, relative to max(1, |want|). A NaN on either side is a miss. */
  close(what: string, got: number, want: number, tolerance = this.tolerance): void {
    const error = Math.abs(got - want) / Math.max(1, Math.abs(want));
    if (tolerance === this.tolerance)
      this.worstError = Math.max(this.worstError, Number.isNaN(error) ? Infinity : error);
    if (!(error <= tolerance)) this.miss(`${what}: got ${got}, want ${want}`);
  }

  closeAll(what: string, got: ArrayLike<number>, want: ArrayLike<number>, tolerance = this.tolerance): void {
    if (got.length !== want.length)
      return this.miss(`${what}: got ${got.length} numbers, want ${want.length}`);
    for (let index = 0; index < want.length; index += 1) {
      this.close(`${what}[${index}]`, got[index], want[index], tolerance);
    }
  }

  /** Decisions: equal as JSON, exactly. */
  same(what: string, got: unknown, want: unknown): void {
    const [left, right] = [JSON.stringify(got), JSON.stringify(want)];
    if (left !== right) this.miss(`${what}: got ${clipped(left)}, want ${clipped(right)}`);
  }

  report(): FamilyReport {
    const { name, cases, worstError, tolerance, missCount } = this;
    const more = missCount > SHOWN_FAILURES ? [`… and ${missCount - SHOWN_FAILURES} more`] : [];
    const passed = missCount === 0 && cases > 0;
    return { name, cases, worstError, tolerance, passed, failures: [...this.failures, ...more] };
  }
}

const clipped = (text: string | undefined): string =>
  text === undefined ? 'undefined' : text.length > 160 ? `${text.slice(0, 160)}…` : text;

/** Float64 code: rounding only. */
export const FLOAT64_TOLERANCE = 1e-12;
