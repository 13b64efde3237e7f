/** Every kernel as it runs: its WGSL, its contract, its time in the last profile, and its check on this device. */
import { useState } from 'react';
import type { KernelCheck, KernelDescription } from '../../store/inspection.ts';
import { useInspection, useLab, useRun, useTransport } from '../binding.ts';
import { formatCount, formatMs, formatSetting } from '../format.ts';

function Bindings({ kernel }: { readonly kernel: KernelDescription }) {
  const { params, bindings, overrides, constants, tolerance } = kernel;
  const numbers = Object.entries({ ...overrides, ...constants });
  return (
    <div className="kernel-bindings">
      <table>
        <thead>
          <tr>
            <th scope="col">binding</th>
            <th scope="col">name</th>
            <th scope="col">type</th>
            <th scope="col">access</th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <td className="number">0</td>
            <th scope="row">params</th>
            <td>
              {Object.entries(params)
                .map(([name, type]) => `${name}: ${type}`)
                .join(', ')}
            </td>
            <td>uniform</td>
          </tr>
          {bindings.map(({ name, type, access }, index) => (
            <tr key={name}>
              <td className="number">{index + 1}</td>
              <th scope="row">{name}</th>
              <td>{type}</td>
              <td>{access}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {numbers.length > 0 && (
        <p className="small">Shaped by {numbers.map(([name, value]) => `${name} = ${value}`).join(', ')}.</p>
      )}
      <p className="small">
        Allowed error: {formatSetting(tolerance.absolute)} + {formatSetting(tolerance.relative)}·|oracle|,
        since {tolerance.reason}.
      </p>
    </div>
  );
}

function Check({ check }: { readonly check: KernelCheck }) {
  const failed = check.cases.filter(({ mismatchCount }) => mismatchCount > 0).length;
  if (check.missing)
    return <p className="small">Not run: this device has no {check.missing}, and uses another kernel.</p>;
  return (
    <>
      <p className="small" role="status">
        {failed === 0 ? '✓ All' : `✕ ${failed} of`} {check.cases.length} cases{' '}
        {failed === 0 ? 'agree with the float64 oracle' : 'differ from the float64 oracle'};{' '}
        {formatMs(check.ms)}.
      </p>
      <table>
        <thead>
          <tr>
            <th scope="col">case</th>
            <th scope="col">numbers</th>
            <th scope="col">wrong</th>
            <th scope="col">worst error</th>
            <th scope="col">allowed</th>
            <th scope="col">at</th>
          </tr>
        </thead>
        <tbody>
          {check.cases.map(({ title, checked, mismatchCount, worst }) => (
            <tr key={title}>
              <th scope="row">{title}</th>
              <td className="number">{formatCount(checked)}</td>
              <td className="number">{formatCount(mismatchCount)}</td>
              <td className="number">{worst ? formatSetting(worst.error, 2) : '–'}</td>
              <td className="number">{worst ? formatSetting(worst.allowed, 2) : '–'}</td>
              <td>{worst && worst.error > 0 ? `${worst.tensor}[${worst.index}]` : '–'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

/** The comment at the head of the file is the contract. */
function split(source: string): { readonly contract: string; readonly code: string } {
  const lines = source.split('\n');
  const end = lines.findIndex((line) => !line.startsWith('//'));
  const contract = lines.slice(0, end).map((line) => line.replace(/^\/\/ ?/, ''));
  return { contract: contract.join('\n'), code: lines.slice(end).join('\n').trim() };
}

function Kernel({ kernel }: { readonly kernel: KernelDescription }) {
  const { inspection } = useLab();
  const engine = useTransport((transport) => transport.engine.kind);
  const asking = useInspection((state) => state.asking);
  const check = useInspection((state) => state.kernelChecks[kernel.name]);
  const profile = useRun((run) => run.profiles.at(-1));
  const rows = profile?.rows.filter((row) => row.kernel === kernel.name) ?? [];
  const { contract, code } = split(kernel.source);
  return (
    <section aria-label={`Kernel ${kernel.name}`}>
      <h3>{kernel.name}</h3>
      <pre tabIndex={0} aria-label="Contract">
        {contract}
      </pre>
      <p className="small">
        {rows.length > 0 && profile
          ? `${formatMs(rows.reduce((sum, { ms }) => sum + ms, 0))} in update ${profile.update}, ${formatCount(rows.reduce((sum, { dispatches }) => sum + dispatches, 0))} dispatches.`
          : 'No time of it yet: profile an update in which it runs.'}
      </p>
      <Bindings kernel={kernel} />
      <p>
        <button
          type="button"
          disabled={engine !== 'ready' || asking !== null}
          onClick={() => inspection.checkKernel(kernel.name)}
        >
          {asking === 'kernel-check' ? 'Checking …' : 'Check against the oracle now'}
        </button>{' '}
        {engine === 'unavailable' && <span className="small soft">Checking needs WebGPU.</span>}
      </p>
      {check && <Check check={check} />}
      <pre tabIndex={0} aria-label="WGSL">
        {code}
      </pre>
    </section>
  );
}

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
      {kernel && <Kernel kernel={kernel} />}
    </details>
  );
}
