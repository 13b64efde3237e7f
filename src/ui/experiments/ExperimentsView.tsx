/** The view, whose code is fetched when it is first shown. */
import { LazyPart } from '../parts/Boundary.tsx';

const load = () => import('./ExperimentsPage.tsx');

export function ExperimentsView() {
  return (
    <div className="view">
      <LazyPart name="The experiments" load={load} props={{}} />
    </div>
  );
}
