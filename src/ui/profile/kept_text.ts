/** A kernel's text that a person is writing, kept by the browser over a reload. */
const key = (kernel: string): string => `turnwise-kernel-${kernel}`;

/** @returns null where nothing was kept, or the browser keeps nothing */
export function keptText(kernel: string): string | null {
  try {
    return localStorage.getItem(key(kernel));
  } catch {
    return null;
  }
}

/**
 * @param text null forgets it
 * @returns why it could not be kept; null where it was
 */
export function keepText(kernel: string, text: string | null): string | null {
  try {
    if (text === null) localStorage.removeItem(key(kernel));
    else localStorage.setItem(key(kernel), text);
    return null;
  } catch (error) {
    const full = error instanceof DOMException && error.name === 'QuotaExceededError';
    return full
      ? 'The browser’s storage for this page is full: a reload brings back what was kept before, not this text. Copy it, or clear the site’s data.'
      : 'The browser keeps nothing for this page: this text is lost with a reload.';
  }
}
