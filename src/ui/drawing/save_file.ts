/** What the page hands to a person: files, and text on the clipboard. */

/** Offers bytes to the person as a file. */
export function saveFile(name: string, content: BlobPart, type: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000); // the browser reads it after the click
}

/** "DAPO · instant · seed 4", "turnwise" → "dapo-instant-seed-4.turnwise". */
export const fileName = (title: string, ending: string): string =>
  `${
    title
      .normalize('NFKD')
      .toLowerCase()
      .replace(/[^a-z0-9.]+/g, '-')
      .replace(/^-+|-+$/g, '') || 'run'
  }.${ending}`;

/** @returns whether it is on the clipboard, which a page that is not secure has not and a browser may refuse */
export const copyText = (text: string): Promise<boolean> =>
  Promise.resolve()
    .then(() => navigator.clipboard.writeText(text))
    .then(
      () => true,
      () => false,
    );
