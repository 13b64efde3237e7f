// What a page's main thread did, read from a Chrome trace. Times are of the thread (tdur): what else runs on the machine
// makes them no longer, unlike frame times.

/** Categories a trace needs for this. */
export const WORK_CATEGORIES = ['devtools.timeline', 'disabled-by-default-devtools.timeline'];

const within = (event, task) => event.ts >= task.ts && event.ts < task.ts + task.dur;

/** Index of the task that holds `event`, or −1; tasks by time, none overlapping. */
function taskOf(tasks, event) {
  let [low, high] = [0, tasks.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (tasks[middle].ts <= event.ts) low = middle + 1;
    else high = middle;
  }
  return low > 0 && within(event, tasks[low - 1]) ? low - 1 : -1;
}

/**
 * @param events of a trace of one page with an animation frame callback in every frame
 * @param inputs kinds of DOM events to report
 * @returns `frames`: ms of work from one frame to the next; `inputs`: ms of the task that handled the event, and of all
 *   others up to and with the frame that shows its effect
 */
export function pageWork(events, inputs = []) {
  const anchor = events.find(({ name, ph }) => name === 'FireAnimationFrame' && ph === 'X');
  if (!anchor) throw new Error('The trace holds no animation frame: was the page hidden?');
  const own = events.filter(
    ({ ph, pid, tid, tdur }) => ph === 'X' && pid === anchor.pid && tid === anchor.tid && tdur !== undefined,
  );
  const tasks = own.filter(({ name }) => name === 'RunTask').toSorted((a, b) => a.ts - b.ts);
  const framing = new Set(
    own.filter(({ name }) => name === 'FireAnimationFrame').map((event) => taskOf(tasks, event)),
  );
  const frames = [];
  let work = null; // before the first frame nothing is counted
  tasks.forEach(({ tdur }, index) => {
    if (work !== null) work += tdur / 1000;
    if (!framing.has(index)) return;
    if (work !== null) frames.push(work);
    work = 0;
  });
  const measured = [];
  for (const event of own) {
    const type = event.name === 'EventDispatch' ? event.args?.data?.type : undefined;
    const first = inputs.includes(type) ? taskOf(tasks, event) : -1;
    if (first < 0) continue;
    let [last, ms] = [first, tasks[first].tdur / 1000];
    while (last + 1 < tasks.length && !(framing.has(last) && last > first)) {
      last += 1;
      ms += tasks[last].tdur / 1000;
    }
    measured.push({ type, ms });
  }
  return { frames, inputs: measured };
}
