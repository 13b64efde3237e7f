/** One kernel: contract, time, bindings, its check, its text, and for the loss kernel the editor. */
import { useState } from 'react';
import { editLabel } from '../../units.ts';
import type { KernelDescription } from '../../store/inspection.ts';
import { useInspection, useLab, useRun, useTransport } from '../binding.ts';
import { BatchPicker, useBatchChoice } from './BatchPicker.tsx';
import { Bindings } from './Bindings.tsx';
import { CancelCheck } from './CancelCheck.tsx';
import { KernelCheck } from './KernelCheck.tsx';
import { KernelEditor } from './KernelEditor.tsx';
import { KernelTime } from './KernelTime.tsx';

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
  const word = (text: string): string => (asking === 'kernel-check' ? 'Checking …' : text);
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
      <CancelCheck of="kernel-check" />
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
  const edited = useRun((run) => run.header?.config.editedKernel);
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
