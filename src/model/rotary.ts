/**
 * Cosines, then sines, of the rotation angles p·θ^(−2j/HS), made in float64.
 * @returns [positions, HS]: HS/2 cosines then HS/2 sines per position
 */
export function rotaryTable(positions: number, headSize: number, theta: number): Float32Array<ArrayBuffer> {
  const half = headSize / 2;
  const table = new Float32Array(positions * headSize);
  for (let position = 0; position < positions; position++) {
    for (let j = 0; j < half; j++) {
      const angle = position * theta ** ((-2 * j) / headSize);
      table[position * headSize + j] = Math.cos(angle);
      table[position * headSize + half + j] = Math.sin(angle);
    }
  }
  return table;
}
