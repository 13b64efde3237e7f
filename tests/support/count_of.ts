/** How many there are; `each` hears the number so far, also of those before an error. */
export async function countOf(
  items: AsyncIterable<unknown>,
  each: (count: number) => void = () => undefined,
): Promise<number> {
  const iterator = items[Symbol.asyncIterator]();
  let count = 0;
  for (let read = await iterator.next(); !read.done; read = await iterator.next()) each((count += 1));
  return count;
}
