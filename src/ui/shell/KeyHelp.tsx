/** The keyboard map as a dialog. What takes the focus stands first: a dialog scrolls to it when it opens. */
import { useEffect, useRef } from 'react';
import { keyName, useKeyList } from './keys.tsx';

export function KeyHelp({ onClose }: { readonly onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const bindings = useKeyList()();
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} className="key-help" aria-labelledby="key-help-title" onClose={onClose}>
      <form method="dialog" className="section-head">
        <h2 id="key-help-title">Keyboard</h2>
        <button type="submit">Close</button>
      </form>
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
    </dialog>
  );
}
