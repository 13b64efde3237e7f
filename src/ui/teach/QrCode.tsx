/** A link as a QR code: black on white in every theme, with the quiet zone that readers need. */
import { useMemo } from 'react';
import { encode } from 'uqr';

const QUIET_ZONE = 4; // modules, as ISO/IEC 18004 wants
const LONGEST = 2900; // bytes that the largest code holds

/** @returns one SVG path of the dark modules, and modules along a side; null where the text is too long for any code */
export function qrPath(text: string): { readonly path: string; readonly size: number } | null {
  if (new TextEncoder().encode(text).length > LONGEST) return null;
  const { data, size } = encode(text, { ecc: 'L', boostEcc: true, border: QUIET_ZONE });
  const path = data
    .flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])))
    .join('');
  return { path, size };
}

export default function QrCode({ text }: { readonly text: string }) {
  const code = useMemo(() => qrPath(text), [text]);
  if (!code) return <p role="alert">The link is too long for a QR code.</p>;
  return (
    <svg
      className="qr"
      viewBox={`0 0 ${code.size} ${code.size}`}
      role="img"
      aria-label="QR code of the link"
      shapeRendering="crispEdges"
    >
      <rect width={code.size} height={code.size} fill="#fff" />
      <path d={code.path} fill="#000" />
    </svg>
  );
}
