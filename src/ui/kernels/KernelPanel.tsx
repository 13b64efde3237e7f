/** One kernel: contract, time, bindings, its check, its text, and for the loss kernel the editor. */
import { useState } from 'react';
import type { KernelDescription } from '../../store/ask/inspection.ts';
import { editLabel } from '../../units.ts';
import { useRecipe, useInspection, useLab, useRun, useTransport } from '../parts/binding.ts';
import { countWords, formatMs, formatSetting } from '../parts/format.ts';
import { Label } from '../parts/Term.tsx';
import { BatchPicker, useBatchChoice } from './BatchPicker.tsx';
import { CancelCheck, KernelCheck } from './KernelCheck.tsx';
import { KernelEditor } from './KernelEditor.tsx';

// Bindings, shaping numbers and allowed error of a kernel, as its contract has them.

export function Bindings({ kernel }: { readonly kernel: KernelDescription }) {
  const { params, bindings, overrides, constants, tolerance } = kernel;
  const numbers = Object.entries({ ...overrides, ...constants });
  return (
    <div className="kernel-bindings">
      <table>
        <thead>
          <tr>
            <th scope="col">
              <Label>binding</Label>
            </th>
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

// What a kernel cost in the last profiled update, and the way to profile another.

function useTimeWords(kernel: string): string {
  const profile = useInspection((asked) => asked.profiles.at(-1));
  if (!profile) return 'No time of it yet: no update of this run was profiled.';
  if (profile.method === 'submissions')
    return `No time of it: this device has no timestamps, so update ${profile.update} was timed by whole submissions, not by kernel.`;
  const rows = profile.rows.filter((row) => row.kernel === kernel);
  if (rows.length === 0) return `It did not run in update ${profile.update}, the last that was profiled.`;
  const ms = rows.reduce((sum, row) => sum + row.ms, 0);
  const dispatches = rows.reduce((sum, row) => sum + row.dispatches, 0);
  const time = ms < 10 ? `${ms.toFixed(2)} ms` : formatMs(ms);
  return `${time} in update ${profile.update}, ${countWords(dispatches, 'dispatch')}, by timestamps on the device.`;
}

export function KernelTime({ kernel }: { readonly kernel: string }) {
  const words = useTimeWords(kernel);
  const engine = useTransport((transport) => transport.engine.kind);
  const profiling = useTransport((transport) => transport.profiling);
  const isOver = useRun((run) => run.status === 'finished');
  const isLive = useTransport((transport) => transport.source === 'live');
  const { transport } = useLab();
  return (
    <p className="small kernel-time">
      {words}{' '}
      <button
        type="button"
        className="small"
        disabled={engine !== 'ready' || profiling || (isOver && isLive)}
        onClick={transport.profile}
      >
        {profiling ? 'Profiling the next update …' : 'Profile the next update'}
      </button>
    </p>
  );
}

/** The comment at the head of the file is the contract. */
function split(source: string): { readonly contract: string; readonly code: string } {
  const lines = source.split('\n');
  const found = lines.findIndex((line) => !line.startsWith('//'));
  const end = found < 0 ? lines.length : found;
  const contract = lines.slice(0, end).map((line) => line.replace(/^\/\/ ?/, ''));
  return { contract: contract.join('\n'), code: lines.slice(end).join('\n').trim() };
}

function CheckButtons({ name }: { readonly name: string }) {
  const { inspection } = useLab();
  const [minibatch, setMinibatch] = useState<number | null>(null);
  const choice = useBatchChoice(minibatch, setMinibatch);
  const engine = useTransport((transport) => transport.engine.kind);
  const asking = useInspection((state) => state.asking);
  const isOff = engine !== 'ready' || asking !== null;
  const word = (text: string): string => (asking === 'check-kernel' ? 'Checking …' : text);
  return (
    <div className="bar">
      {choice && (
        <>
          <button type="button" disabled={isOff} onClick={() => inspection.checkKernel(name, choice.get())}>
            {word('Check on this mini-batch')}
          </button>
          <BatchPicker choice={choice} />
        </>
      )}
      <button type="button" disabled={isOff} onClick={() => inspection.checkKernel(name)}>
        {word('Check against the oracle now')}
      </button>
      <CancelCheck of="check-kernel" />
      {engine === 'unavailable' && <span className="small soft">Checking needs WebGPU.</span>}
    </div>
  );
}

/** The loss kernel's editor, and its mini-batch. */
function Editing({ kernel }: { readonly kernel: KernelDescription }) {
  const [isOpen, setOpen] = useState(false);
  const [minibatch, setMinibatch] = useState<number | null>(null);
  const choice = useBatchChoice(minibatch, setMinibatch);
  if (!isOpen)
    return (
      <p>
        <button type="button" onClick={() => setOpen(true)}>
          Edit this kernel
        </button>
      </p>
    );
  return (
    <>
      {choice && <BatchPicker choice={choice} />}
      <KernelEditor kernel={kernel} choice={choice} />
    </>
  );
}

/** What the text below is. */
function useOwnText(kernel: KernelDescription) {
  const edited = useRecipe((config) => config.editedKernel);
  if (edited?.name !== kernel.name) return { source: kernel.source, note: null };
  return {
    source: edited.source,
    note: `This run used a text of its own, shown below: ${editLabel(edited)}. The checks above are of the lab’s own text; the editor checks the edited one.`,
  };
}

export function KernelPanel({ kernel }: { readonly kernel: KernelDescription }) {
  const check = useInspection((state) => state.kernelChecks[kernel.name]);
  const { source, note } = useOwnText(kernel);
  const { contract, code } = split(source);
  return (
    <section aria-label={`Kernel ${kernel.name}`}>
      <h2>{kernel.name}</h2>
      <pre tabIndex={0} aria-label="Contract">
        {contract}
      </pre>
      <KernelTime kernel={kernel.name} />
      <Bindings kernel={kernel} />
      <CheckButtons name={kernel.name} />
      {check && <KernelCheck check={check} />}
      {kernel.name === 'policy_loss' && <Editing kernel={kernel} />}
      {note && <p className="small edited-note">{note}</p>}
      <pre tabIndex={0} aria-label="WGSL">
        {code}
      </pre>
    </section>
  );
}

// Every kernel as it runs: its WGSL, its contract, its time in the last profile, and its check on this device.

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
          <label htmlFor="kernel-name">
            <Label>Kernel</Label>
          </label>{' '}
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
