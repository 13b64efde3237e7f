/** A row of numbers, each with its name above and what it stands against below. */
export type Fact = readonly [name: string, value: string, note: string];

export function Facts({ facts }: { readonly facts: readonly Fact[] }) {
  return (
    <dl className="profile-facts">
      {facts.map(([name, value, note]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <span className="number">{value}</span>
            <span className="small soft">{note}</span>
          </dd>
        </div>
      ))}
    </dl>
  );
}
