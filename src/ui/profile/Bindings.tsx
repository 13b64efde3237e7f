/** Bindings, shaping numbers and allowed error of a kernel, as its contract has them. */
import type { KernelDescription } from '../../store/inspection.ts';
import { formatSetting } from '../format.ts';

export function Bindings({ kernel }: { readonly kernel: KernelDescription }) {
  const { params, bindings, overrides, constants, tolerance } = kernel;
  const numbers = Object.entries({ ...overrides, ...constants });
  return (
    <div className="kernel-bindings">
      <table>
        <thead>
          <tr>
            <th scope="col">binding</th>
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
