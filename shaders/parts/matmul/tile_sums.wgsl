  var p0 = vec4f(); var q0 = vec4f();
  var p1 = vec4f(); var q1 = vec4f();
  var p2 = vec4f(); var q2 = vec4f();
  var p3 = vec4f(); var q3 = vec4f();
  var p4 = vec4f(); var q4 = vec4f();
  var p5 = vec4f(); var q5 = vec4f();
  var p6 = vec4f(); var q6 = vec4f();
  var p7 = vec4f(); var q7 = vec4f();
