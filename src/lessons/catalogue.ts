/** Which lessons there are, in order, by language. A file in a language's folder is a lesson; it is fetched when it is opened. */
import type { Glossary, LessonData } from './lesson.ts';

type LoadLesson = () => Promise<{ readonly default: LessonData }>;

export interface LessonEntry {
  readonly name: string; // as addresses have it
  readonly number: number;
  readonly load: LoadLesson;
}

export const LANGUAGES = ['en'] as const;
export type Language = (typeof LANGUAGES)[number];

const FILES = import.meta.glob<{ readonly default: LessonData }>('./*/[0-9]*_*.ts');

/** The lessons of a language; './en/03_averaging.ts' is lesson 3, `averaging`. */
export const lessonsOf = (language: Language): readonly LessonEntry[] =>
  Object.entries(FILES)
    .flatMap(([path, load]): LessonEntry[] => {
      const [, folder, number, name] = /^\.\/(\w+)\/(\d+)_(\w+)\.ts$/.exec(path) ?? [];
      return folder === language ? [{ name, number: Number(number), load }] : [];
    })
    .toSorted((a, b) => a.number - b.number);

const GLOSSARIES: Readonly<Record<Language, () => Promise<{ readonly default: Glossary }>>> = {
  en: () => import('./en/glossary.ts'),
};

/** The terms of a language, fetched once. */
export const loadGlossary = async (language: Language): Promise<Glossary> =>
  (await GLOSSARIES[language]()).default;
