// column_sum — adds the rows of a block of columns onto a total; the end of every weight gradient.
//
//   total[c] += Σ_r partial[r, offset + c]
//
// shapes  partial [rows, stride], offset + columns ≤ stride → total [columns]
// grid    one invocation per column; rows in ascending order
// writes  total +=  (a parameter gradient)
// oracle  sums.oracle.ts

struct Params { rows: u32, columns: u32, stride: u32, offset: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> partial: array<f32>;
@group(0) @binding(2) var<storage, read_write> total: array<f32>;

override WORKGROUP: u32 = 64;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groupCount: vec3u) {
  let unit = id.x + id.y * groupCount.x * WORKGROUP;
  if (unit >= params.columns) { return; }
  var sum = 0.0;
  for (var r = 0u; r < params.rows; r++) { sum += partial[r * params.stride + params.offset + unit]; }
  total[unit] += sum;
}
