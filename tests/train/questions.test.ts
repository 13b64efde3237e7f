import { expect, test } from 'vitest';
import * as v from 'valibot';
import type { KernelCheck, KernelTrial, EngineEvent } from '../../src/protocol/protocol.ts';
import { answerQuestions, Asker, type Reply } from '../../src/train/engine/asking.ts';
import { questions, type Ask, type AnswerTo, type Question } from '../../src/train/inspect/index.ts';
import { parseRunConfig } from '../../src/train/config/config.ts';
import { checked, withPolicy, type QuestionKind } from '../../src/train/inspect/question.ts';
import type { ErrorReport, RunConfig } from '../../src/units.ts';
import { refusalOf } from '../support/questions.ts';
import { scriptedBackend, scriptedEngine, smallConfig, withoutTimes } from '../support/scripted_run.ts';

const config = smallConfig({ updates: 2, evaluation: { every: 0, questions: 0, datasets: ['hotpot'] } });
const isFinished = (event: EngineEvent) => event.kind === 'status' && event.status === 'finished';
const LOST: ErrorReport = { what: 'lost', where: 'device', got: 'a', wanted: 'b', next: 'c' };

/** A kind of question that the lab does not have: as long as a test wants, on a policy. */
function scripted() {
  let finish: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => (finish = resolve));
  const wait: QuestionKind<{ readonly words: string; readonly config: RunConfig }, string> = {
    parse: (value) => ({
      ...checked(v.object({ words: v.string('words') }), value, {
        what: 'It cannot wait',
        next: 'Say words.',
      }),
      config: parseRunConfig((value as { readonly config: RunConfig }).config),
    }),
    answer: ({ words, config: of }, lender, signal) =>
      withPolicy(lender, { config: of }, signal, async () => {
        await finished;
        if (words === 'fail') throw new Error('it did');
        return `${words}!`;
      }),
  };
  const opened = scriptedEngine(config, { questions: { ...questions, wait } });
  const put = (words: unknown, signal?: AbortSignal): Promise<unknown> =>
    opened.engine.ask({ kind: 'wait', words, config } as unknown as Question, signal);
  /** The engine has lent what was asked for. */
  const begun = () => opened.ask({ kind: 'list-kernels' });
  return { ...opened, put, finish, begun };
}

test('a question of a new kind needs its own definition and its line in the table', async () => {
  const { engine, put, finish, begun, backend } = scripted();
  await engine.start();
  const answer = put('hello');
  await begun();
  expect(backend.policies.map(({ disposed }) => disposed)).toEqual([false]);
  finish();
  expect(await answer).toBe('hello!');
  expect(backend.policies.map(({ disposed }) => disposed)).toEqual([true]);
  expect(await refusalOf(put(7))).toMatchObject({
    what: 'It cannot wait',
    where: 'question.words',
    got: '7',
  });
  const unknown = engine.ask({ kind: 'toString' } as unknown as Question);
  expect(await refusalOf(unknown)).toMatchObject({ where: 'question.kind', got: '"toString"' });
  expect((await refusalOf(engine.ask(null as unknown as Question))).wanted).toContain('inspect-token');
});

test('a question that fails while a run trains fails alone: the log is that of a run that nobody asked', async () => {
  const plain = scriptedEngine(config);
  const { engine, put, finish, begun, events, until, send } = scripted();
  for (const { engine: each, send: tell, until: wait } of [plain, { engine, send, until }]) {
    await each.start();
    await tell({ kind: 'open', config });
    const over = wait(isFinished);
    await tell({ kind: 'play' });
    if (each === engine) {
      const refusals = [refusalOf(put('fail')), refusalOf(put(7))];
      await begun();
      finish();
      const [failed, refused] = await Promise.all(refusals);
      expect(failed).toMatchObject({ where: 'question wait', got: 'Error: it did' });
      expect(refused.where).toBe('question.words');
    }
    await over;
  }
  expect(events.map(withoutTimes)).toEqual(plain.events.map(withoutTimes));
});

test('a run stands while its model is lent, and is not closed before it is given back', async () => {
  const { engine, put, finish, begun, events, backend, send } = scripted();
  await engine.start();
  await send({ kind: 'open', config });
  const answer = put('hello');
  await begun();
  await send({ kind: 'play' });
  const moved = (): number => events.filter(({ kind }) => kind === 'update-started').length;
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect([moved(), backend.policies.length]).toEqual([0, 1]);
  const closed = send({ kind: 'close' });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(backend.policies[0].disposed).toBe(false);
  finish();
  expect(await answer).toBe('hello!');
  await closed;
  expect(backend.policies[0].disposed).toBe(true);
});

test('a question that nobody waits for any more is dropped, its policy freed, and one not begun is not begun', async () => {
  const { engine, put, finish, begun, backend } = scripted();
  await engine.start();
  const cancel = new AbortController();
  const answer = put('hello', cancel.signal);
  await begun();
  cancel.abort(new Error('no more'));
  await expect(answer).rejects.toThrow('no more');
  finish();
  await expect.poll(() => backend.policies.map(({ disposed }) => disposed)).toEqual([true]);
  const early = new AbortController();
  const second = put('hello', early.signal);
  early.abort(new Error('before its turn'));
  await expect(second).rejects.toThrow('before its turn');
  await begun();
  expect(backend.policies).toHaveLength(1);
});

test('a lost device and a closed engine reject all that wait', async () => {
  const first = scriptedBackend(config);
  const backends = [first, scriptedBackend(config)];
  const waiting: QuestionKind<unknown, never> = {
    parse: (value) => value,
    answer: async (_, lender) => {
      await lender.backend();
      return new Promise<never>(() => undefined);
    },
  };
  const { engine, ask } = scriptedEngine(config, {
    questions: { ...questions, waiting },
    openBackend: () => Promise.resolve(backends.shift()!),
  });
  await engine.start();
  const put = (): Promise<ErrorReport> => refusalOf(engine.ask({ kind: 'waiting' } as unknown as Question));
  const lost = put();
  await ask({ kind: 'list-kernels' });
  first.lose(LOST);
  expect(await lost).toEqual(LOST);
  const closed = put();
  await ask({ kind: 'list-kernels' });
  await engine.dispose();
  expect((await closed).what).toBe('The engine was closed');
});

test('what crosses between page and worker is one question, one answer or failure, and a cancel', async () => {
  const { engine, begun } = scripted();
  await engine.start();
  const sent: unknown[] = [];
  const replies: Reply[] = [];
  const hear = answerQuestions(
    (question, signal) => engine.ask(question, signal),
    (reply) => {
      replies.push(structuredClone(reply));
      asker.hear(reply);
    },
    () => [],
  );
  const asker = new Asker((message) => {
    sent.push(structuredClone(message));
    hear(message);
  });
  expect((await asker.ask({ kind: 'list-kernels' })).length).toBeGreaterThan(20);
  expect(await refusalOf(asker.ask({ kind: 'check-kernel', name: 'none' }))).toMatchObject({
    where: 'question.name',
  });
  const cancel = new AbortController();
  const dropped = asker.ask({ kind: 'wait', words: 'x', config } as unknown as Question, cancel.signal);
  await begun();
  cancel.abort(new Error('no more'));
  await expect(dropped).rejects.toThrow('no more');
  const left = refusalOf(asker.ask({ kind: 'wait', words: 'x', config } as unknown as Question));
  asker.endAll(LOST);
  expect(await left).toEqual(LOST);
  expect(sent.map((message) => Object.keys(message as object))).toEqual([
    ...[
      ['id', 'question'],
      ['id', 'question'],
      ['id', 'question'],
      ['id', 'cancel'],
      ['id', 'question'],
    ],
  ]);
  expect(replies.map((reply) => [reply.id, Object.keys(reply)[1]])).toEqual([
    [1, 'answer'],
    [2, 'failure'],
  ]);
});

test('the answer to one question is not that to another, and no question goes without its fields', () => {
  const typesOnly = (ask: Ask): void => {
    void ask({ kind: 'check-kernel', name: 'adamw' }).then((check: KernelCheck) => check.cases);
    // @ts-expect-error -- a kernel's check is no trial of a text
    void ask({ kind: 'check-kernel', name: 'adamw' }).then((trial: KernelTrial) => trial.name);
    // @ts-expect-error -- which kernel?
    void ask({ kind: 'check-kernel' });
    // @ts-expect-error -- a command is no question
    void ask({ kind: 'play' });
    const footprint: AnswerTo<{ kind: 'estimate' }> = { bytes: 1, problem: null };
    // @ts-expect-error -- what a run needs says nothing of kernels
    const list: AnswerTo<{ kind: 'list-kernels' }> = footprint;
    void list;
  };
  expect(typesOnly).toBeTypeOf('function');
});
