/** Token texts as people read them. */

const TAG = /^<\/?[a-z]+>$/;

/** Joins words without tags, closing up before apostrophes and marks: "Yara's mother's father?" */
export function sentence(words: readonly string[]): string {
  return words
    .filter((word) => !TAG.test(word))
    .join(' ')
    .replace(/ (['’?.,;!])/g, '$1');
}
