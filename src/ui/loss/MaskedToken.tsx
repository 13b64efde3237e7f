/** A token that is in no loss, and why. */
import type { MaskReason } from '../../store/mask_reason.ts';
import { MASK_WORDS } from './mask_words.ts';

export function MaskedToken({ text, reason }: { readonly text: string; readonly reason: MaskReason }) {
  const { short, sentence } = MASK_WORDS[reason];
  return (
    <section className="panel" aria-label="Token">
      <h2>
        Token <code>{text}</code> <span className="soft">carries no loss: {short}</span>
      </h2>
      <p className="small">{sentence}</p>
      <p className="small soft">
        Weight 0 in this row; it counts neither in the loss nor in the row’s length n.
      </p>
    </section>
  );
}
