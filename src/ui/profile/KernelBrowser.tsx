/** Every kernel as it runs: its WGSL, its contract, its time in the last profile, and its check on this device. */
import { useState } from 'react';
import { useInspection, useLab } from '../binding.ts';
import { KernelPanel } from './KernelPanel.tsx';

export function KernelBrowser() {
  const { inspection } = useLab();
  const kernels = useInspection((state) => state.kernels);
  const [name, setName] = useState('policy_loss');
  const kernel = kernels?.find((entry) => entry.name === name);
  return (
    <details
      className="kernel-browser"
      onToggle={({ currentTarget }) => {
        if (currentTarget.open && !kernels) inspection.listKernels();
      }}
    >
      <summary>Kernels: the WGSL that runs, its contract, its check on this device</summary>
      {kernels ? (
        <p>
          <label htmlFor="kernel-name">Kernel</label>{' '}
          <select id="kernel-name" value={name} onChange={({ target }) => setName(target.value)}>
            {kernels.map((entry) => (
              <option key={entry.name}>{entry.name}</option>
            ))}
          </select>
        </p>
      ) : (
        <p className="empty">The engine lists its kernels once it has started.</p>
      )}
      {kernel && <KernelPanel key={kernel.name} kernel={kernel} />}
    </details>
  );
}
