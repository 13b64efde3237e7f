/** A method and where it comes from: paper, evidence, what differs from its code, what this run changed. */
import { methodChanges, plateauCaution, type AlgorithmDescription } from '../../store/lab/knobs.ts';
import type { RunConfig } from '../../units.ts';
import { useRun } from '../parts/binding.ts';
import { sayKnob } from '../parts/KnobField.tsx';

function Paper({ paper }: Pick<AlgorithmDescription, 'paper'>) {
  if (paper.arxiv === null) return <cite>{paper.title}</cite>;
  return (
    <a href={`https://arxiv.org/abs/${paper.arxiv}`} target="_blank" rel="noreferrer">
      <cite>{paper.title}</cite>, arXiv {paper.arxiv}
    </a>
  );
}

function Differences({ differences }: Pick<AlgorithmDescription, 'differences'>) {
  if (differences.length === 0) return null;
  return (
    <details>
      <summary>Where paper and code differ ({differences.length})</summary>
      <dl className="differences">
        {differences.map(({ topic, paper, code, here }) => (
          <div key={topic}>
            <dt>{topic}</dt>
            <dd>
              Paper: {paper}. Code: {code}. Here: {here}.
            </dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

function Sources({ sources }: Pick<AlgorithmDescription, 'sources'>) {
  if (sources.length === 0) return null;
  return (
    <details>
      <summary>Sources of its settings ({sources.length})</summary>
      <dl className="differences">
        {sources.map(({ path, source }) => (
          <div key={path}>
            <dt>{path}</dt>
            <dd>{source}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

/** What was composed: settings that are not the method's own; and what the settings keep it from doing. */
export function MethodChanges({ config }: { readonly config: RunConfig }) {
  const scale = useRun((run) => run.ready?.presets.find(({ name }) => name === config.preset)?.scale ?? null);
  const changes = methodChanges(config.algorithm, scale);
  const caution = plateauCaution(config);
  return (
    <>
      {changes.length > 0 && (
        <p className="small method-changes">
          Composed:{' '}
          {changes.map(({ path, own, value }) => `${path} ${sayKnob(value)} (${sayKnob(own)})`).join(', ')}
        </p>
      )}
      {caution && <p className="small caution">{caution}</p>}
    </>
  );
}

export function MethodCard({ method }: { readonly method: AlgorithmDescription }) {
  return (
    <div className="method-card small" role="group" aria-label={`About ${method.title}`}>
      <p>{method.description}</p>
      <p>
        <Paper paper={method.paper} />
      </p>
      <p className="soft">
        <span aria-hidden="true">{method.verified ? '✓' : method.caution ? '?' : '≈'} </span>
        Here it {method.evidence}.
      </p>
      {method.caution && (
        <p className="caution">
          <strong>Uncertain:</strong> {method.caution}
        </p>
      )}
      <Differences differences={method.differences} />
      <Sources sources={method.sources} />
    </div>
  );
}
