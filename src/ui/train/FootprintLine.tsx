/** What the settings on screen need of the device's memory, or why they would not run; asked anew for each change. */
import { useEffect } from 'react';
import { same } from '../../store/open_run.ts';
import type { RunConfig } from '../../units.ts';
import { useLab, useTransport } from '../binding.ts';
import { formatBytes } from '../profile/rates.ts';

export function FootprintLine({ config }: { readonly config: RunConfig }) {
  const engine = useTransport((state) => state.engine.kind);
  const footprint = useTransport((state) => state.footprint);
  const { transport } = useLab();
  useEffect(() => transport.estimate(config), [transport, config, engine]);
  if (!footprint || !same(footprint.config, config)) return null;
  const { bytes, problem } = footprint;
  if (problem)
    return (
      <p className="small footprint" data-fits="false" role="status">
        <strong>{problem.what}</strong> ({problem.where}): {problem.got}, wanted {problem.wanted}.{' '}
        {problem.next}
      </p>
    );
  if (bytes === null) return null;
  return (
    <p className="small soft footprint" data-fits="true">
      Needs at most <span className="number">{formatBytes(bytes)}</span> of device memory.
    </p>
  );
}
