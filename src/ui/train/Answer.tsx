/** The question of a prompt and its best path in words. */
import { useMemo } from 'react';
import { bestLeaf, pathTokens, rewardOf } from '../../store/record/reading.ts';
import type { TreeState } from '../../store/record/run_state.ts';
import { useOfUpdate, useSentence, useVocabulary } from '../parts/binding.ts';
import { formatSigned } from '../parts/format.ts';
import { RewardMark } from '../parts/parts.tsx';
import { rewardClass } from '../parts/scales.ts';
import { Transcript } from '../parts/Transcript.tsx';

interface BestPathProps {
  readonly tree: TreeState;
  readonly vocabulary: readonly string[];
}

function BestPath({ tree, vocabulary }: BestPathProps) {
  const leaf = bestLeaf(tree);
  const tokens = useMemo(
    () => (leaf === null ? [] : pathTokens(tree, leaf, vocabulary)),
    [tree, leaf, vocabulary],
  );
  if (leaf === null) return <p className="small soft">The first paths are being sampled.</p>;
  const reward = rewardOf(tree, leaf);
  const kind = rewardClass(reward);
  return (
    <>
      <p className="verdict small">
        {reward === null ? (
          'First path to end, not rewarded yet'
        ) : (
          <>
            <RewardMark kind={kind} /> Best path: {kind}, reward {formatSigned(reward, 0)}
          </>
        )}
        <span className="soft"> · hatched: environment text, no loss · shade: token entropy</span>
      </p>
      <Transcript tokens={tokens} shading="entropy" showPrompt={false} />
    </>
  );
}

export function Answer({ prompt }: { readonly prompt: number }) {
  const tree = useOfUpdate((update) => update?.trees[prompt]);
  const vocabulary = useVocabulary();
  const words = useSentence();
  if (!tree) return <section className="answer" aria-label="Question" />;
  return (
    <section className="answer" aria-label="Question">
      <div className="section-head">
        <h2>
          Prompt {prompt + 1}
          {tree.prompt.dataset !== '' && ` · ${tree.prompt.dataset}`}
        </h2>
      </div>
      <p className="question">
        {words(tree.prompt.tokens)} <span className="truth">{words(tree.prompt.answer ?? [])}</span>
      </p>
      <BestPath tree={tree} vocabulary={vocabulary} />
    </section>
  );
}
