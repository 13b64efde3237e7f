/** The keyboard map as a dialog. */
import { useEffect, useRef } from 'react';
import { keyName, useKeyList } from './keys.tsx';

export function KeyHelp({ onClose }: { readonly onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const bindings = useKeyList()();
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} className="key-help" aria-labelledby="key-help-title" onClose={onClose}>
      <h2 id="key-help-title">Keyboard</h2>
      <dl>
        {bindings.map((binding) => (
          <div key={keyName(binding)}>
            <dt>
              <kbd>{keyName(binding)}</kbd>
            </dt>
            <dd>{binding.label}</dd>
          </div>
        ))}
      </dl>
      <form method="dialog">
        <button type="submit">Close</button>
      </form>
    </dialog>
  );
}
