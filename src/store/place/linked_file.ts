/** `?run=ADDRESS` in the page's address: a run file beside the page, shown in place of the recorded run. */
import { LabError, shorten, type ErrorReport } from '../../units.ts';

const PARAMETER = 'run';

export class LinkedFileError extends LabError {
  constructor(report: Pick<ErrorReport, 'where' | 'got' | 'wanted'> & Partial<ErrorReport>, cause?: unknown) {
    const what = 'The run that this address asks for cannot be opened';
    const next =
      'Ask who sent the link for the file and open that in Runs. What is shown instead is the lab’s own.';
    super('LinkedFileError', { what, next, ...report }, cause);
  }
}

/**
 * @param page address of the page
 * @returns the file's address; null where none is asked for
 * @throws LinkedFileError where it is none, or of another origin: a link never makes the page ask a stranger
 */
export function linkedFile(page: string): URL | null {
  const { searchParams, origin, href } = new URL(page);
  const asked = searchParams.get(PARAMETER);
  if (asked === null || asked === '') return null;
  const where = shorten(asked);
  const wanted = `an address on ${origin}`;
  if (!URL.canParse(asked, href)) throw new LinkedFileError({ where, got: 'no address', wanted });
  const file = new URL(asked, href);
  const isPlain = ['http:', 'https:'].includes(file.protocol) && file.username === '' && file.password === '';
  if (!isPlain || file.origin !== origin)
    throw new LinkedFileError({
      ...{ where, got: shorten(isPlain ? file.origin : `${file.protocol}…`), wanted },
      next: 'Save the file to this computer and open it in Runs, if you trust where it is from. What is shown instead is the lab’s own.',
    });
  file.hash = '';
  return file;
}

/** The page's own address, without the run file that it asks for. @param search as of a Location */
export function withoutLinkedFile(search: string): string {
  const rest = new URLSearchParams(search);
  if (!rest.has(PARAMETER)) return search;
  rest.delete(PARAMETER);
  return rest.size === 0 ? '' : `?${rest.toString()}`;
}

const isPage = (response: Response): boolean =>
  response.headers.get('content-type')?.startsWith('text/html') ?? false;

/**
 * The file at an address of this origin. Redirects to another are refused.
 * @throws LinkedFileError where the host has none, or answers with a page
 */
export async function fetchLinked(file: URL): Promise<File> {
  const where = shorten(file.href);
  const wanted = 'a run (.turnwise) or a recording';
  try {
    const response = await fetch(file, { mode: 'same-origin' });
    if (!response.ok) throw new LinkedFileError({ where, got: `status ${response.status}`, wanted });
    if (isPage(response)) throw new LinkedFileError({ where, got: 'a web page (text/html)', wanted });
    const name = decodeURIComponent(file.pathname.split('/').at(-1) ?? '') || 'run';
    return new File([await response.blob()], name);
  } catch (error) {
    if (error instanceof LabError) throw error;
    throw new LinkedFileError({ where, got: shorten(String(error)), wanted }, error);
  }
}
