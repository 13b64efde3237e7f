"""As much of PyTorch as turnwise_loss.py uses, in plain Python and float64, with gradients: the file is tested as it is shipped
where no PyTorch is. Matrices only; a node of the graph is a number."""

import math

int64, float64, bool_ = int, float, bool


class Number:
    def __init__(self, value, parents=()):
        self.value, self.parents, self.gradient = value, parents, 0.0


def backward(total):
    order, seen = [], set()
    stack = [(total, False)]
    while stack:
        number, is_done = stack.pop()
        if is_done:
            order.append(number)
        elif id(number) not in seen:
            seen.add(id(number))
            stack.append((number, True))
            stack += [(parent, False) for parent, _ in number.parents]
    total.gradient = 1.0
    for number in reversed(order):
        for parent, slope in number.parents:
            parent.gradient += slope * number.gradient


class Tensor:
    def __init__(self, rows, dtype=float):
        self.rows = [[each if isinstance(each, Number) else Number(dtype(each)) for each in row] for row in rows]
        self.dtype = dtype

    @property
    def shape(self):
        return (len(self.rows), len(self.rows[0]))

    def _map(self, f, dtype=None):
        return Tensor([[f(x) for x in row] for row in self.rows], dtype or self.dtype)

    def _with(self, other, f, dtype=None):
        other = other if isinstance(other, Tensor) else Tensor([[other]])
        height, width = max(len(self.rows), len(other.rows)), max(len(self.rows[0]), len(other.rows[0]))

        def at(tensor, row, column):
            line = tensor.rows[row if len(tensor.rows) > 1 else 0]
            return line[column if len(line) > 1 else 0]

        made = [[f(at(self, r, c), at(other, r, c)) for c in range(width)] for r in range(height)]
        return Tensor(made, dtype or (float if float in (self.dtype, other.dtype) else self.dtype))

    def __add__(self, other):
        return self._with(other, lambda a, b: Number(a.value + b.value, ((a, 1.0), (b, 1.0))))

    def __sub__(self, other):
        return self._with(other, lambda a, b: Number(a.value - b.value, ((a, 1.0), (b, -1.0))))

    def __mul__(self, other):
        return self._with(other, lambda a, b: Number(a.value * b.value, ((a, b.value), (b, a.value))))

    def __truediv__(self, other):
        quotient = lambda a, b: Number(a.value / b.value, ((a, 1 / b.value), (b, -a.value / b.value**2)))  # noqa: E731
        return self._with(other, quotient, float)

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other):
        return -self + other

    def __neg__(self):
        return self * -1

    def _compare(self, other, test):
        return self._with(other, lambda a, b: Number(test(a.value, b.value)), bool)

    def __gt__(self, other):
        return self._compare(other, lambda a, b: a > b)

    def __lt__(self, other):
        return self._compare(other, lambda a, b: a < b)

    def __eq__(self, other):
        return self._compare(other, lambda a, b: a == b)

    def __and__(self, other):
        return self._compare(other, lambda a, b: a and b)

    def __or__(self, other):
        return self._compare(other, lambda a, b: a or b)

    def __getitem__(self, place):
        _, columns = place
        return Tensor([row[columns] for row in self.rows], self.dtype)

    def to(self, dtype):
        return self._map(lambda x: Number(dtype(x.value), ((x, 1.0),)), dtype)

    def detach(self):
        return self._map(lambda x: Number(x.value))

    def clamp(self, min=None, max=None):
        return clamp(self, min, max)

    def sum(self, dim=None, keepdim=False):
        def total(row):
            return Number(sum(x.value for x in row), tuple((x, 1.0) for x in row))

        rows = [[total(row)] for row in self.rows]
        return Tensor(rows if dim is not None else [[total([row[0] for row in rows])]], self.dtype)

    def max(self):
        return max(x.value for row in self.rows for x in row)

    def item(self):
        return self.rows[0][0].value


def clamp(tensor, min=None, max=None):
    low, high = -math.inf if min is None else min, math.inf if max is None else max
    inside = lambda x: Number(x.value, ((x, 1.0),)) if low <= x.value <= high else Number(low if x.value < low else high)  # noqa: E731
    return tensor._map(inside)


def exp(tensor):
    return tensor._map(lambda x: Number(math.exp(x.value), ((x, math.exp(x.value)),)))


def sigmoid(tensor):
    def of(x):
        value = 1 / (1 + math.exp(-x.value)) if x.value > -700 else 0.0
        return Number(value, ((x, value * (1 - value)),))

    return tensor._map(of)


def where(condition, one, other):
    chosen = condition._with(one, lambda c, a: Number((c.value, a)))
    return chosen._with(other, lambda ca, b: ca.value[1] if ca.value[0] else b, float)


def cat(tensors, dim):
    return Tensor([sum(rows, []) for rows in zip(*[t.rows for t in tensors])], tensors[0].dtype)


def cumsum(tensor, dim):
    rows = []
    for row in tensor.rows:
        total, sums = 0, []
        for x in row:
            total += x.value
            sums.append(total)
        rows.append(sums)
    return Tensor(rows, tensor.dtype)


class no_grad:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False
