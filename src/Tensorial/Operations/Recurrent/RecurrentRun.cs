using System.Numerics;
using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>
/// A recurrent layer on its way through time: the products with W for all steps at once, those with R step by step, and both of their
/// gradients. Sequences that have ended keep their state; their results are 0.
/// </summary>
internal sealed class RecurrentRun<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly Recurrent _layer;
    private readonly RecurrentExtents _extents;
    private readonly Workers _workers;
    private readonly Tensor<T> _x,
        _w,
        _r;
    private readonly Tensor<T>?[] _initial;
    private readonly Tensor<T>? _bias;
    private readonly int[] _lengths;
    private readonly int _rows;

    public RecurrentRun(Recurrent layer, RecurrentExtents extents, ReadOnlySpan<Tensor?> inputs, Workers workers)
    {
        (_layer, _extents, _workers) = (layer, extents, workers);
        (_x, _w, _r) = (inputs[0]!.Of<T>(), inputs[1]!.Of<T>(), inputs[2]!.Of<T>());
        _bias = inputs.Optional(3)?.Of<T>();
        _initial = new Tensor<T>?[layer.States];
        for (int s = 0; s < _initial.Length; s++)
            _initial[s] = inputs.Optional(5 + s)?.Of<T>();
        _rows = layer.Gates * extents.Hidden;
        _lengths = new int[extents.Batch];
        Array.Fill(_lengths, extents.Steps);
        if (inputs.Optional(4) is Tensor<int> lengths)
            for (int b = 0; b < _lengths.Length; b++)
                _lengths[b] =
                    lengths.Values[b] >= 0 && lengths.Values[b] <= extents.Steps
                        ? lengths.Values[b]
                        : throw new BadInputException($"a sequence is said to have {lengths.Values[b]} of {extents.Steps} steps.");
    }

    private int Hidden => _extents.Hidden;

    private int StateLength => _layer.States * Hidden;

    /// <summary>Walks one direction and writes Y and the last states.</summary>
    public void Walk(int direction, RecurrentCell<T> cell, RecurrentTrace<T>? trace, ReadOnlySpan<Tensor> outputs)
    {
        (int steps, int batch, int input, int h) = _extents;
        T[] products = new T[(long)steps * batch * _rows is var all && all <= Array.MaxLength ? all : throw TooLarge()];
        Kernels.MatrixProduct.Multiply(
            steps * batch,
            _rows,
            input,
            T.One,
            _x.Values,
            input,
            1,
            W(direction),
            1,
            input,
            T.Zero,
            products,
            _rows,
            _workers
        );
        T[] states = InitialStates(direction),
            fromState = new T[batch * _rows],
            gates = new T[batch * _rows],
            hidden = new T[batch * h];
        for (int step = 0; step < steps; step++)
        {
            for (int b = 0; b < batch; b++)
                states.AsSpan(b * StateLength, h).CopyTo(hidden.AsSpan(b * h));
            Kernels.MatrixProduct.Multiply(batch, _rows, h, T.One, hidden, h, 1, R(direction), 1, h, T.Zero, fromState, _rows, _workers);
            T[] next = (T[])states.Clone();
            for (int b = 0; b < batch; b++)
            {
                if (step >= _lengths[b])
                    continue;
                int time = Time(direction, step, b);
                Span<T> own = gates.AsSpan(b * _rows, _rows),
                    recurrent = fromState.AsSpan(b * _rows, _rows);
                products.AsSpan(Row(time, b) * _rows, _rows).CopyTo(own);
                AddBias(direction, own, recurrent);
                Span<T> after = next.AsSpan(b * StateLength, StateLength);
                cell.Step(own, recurrent, states.AsSpan(b * StateLength, StateLength), after, h);
                if (outputs.Length > 0)
                    after[..h].CopyTo(outputs[0].Of<T>().Values[PlaceOfY(time, direction, b)..]);
            }
            trace?.Steps.Add(((T[])gates.Clone(), (T[])fromState.Clone(), states, next));
            states = next;
        }
        for (int s = 0; s < _layer.States && 1 + s < outputs.Length; s++)
        for (int b = 0; b < batch; b++)
            states.AsSpan(b * StateLength + s * h, h).CopyTo(outputs[1 + s].Of<T>().Values[PlaceOfState(direction, b)..]);
    }

    /// <summary>Walks back and adds to all gradients asked for.</summary>
    public void WalkBack(int direction, RecurrentCell<T> cell, RecurrentTrace<T> trace, in Pullback<T> pull)
    {
        (int steps, int batch, int input, int h) = _extents;
        T[] states = new T[batch * StateLength],
            ofInput = new T[steps * batch * _rows],
            ofState = new T[batch * _rows],
            hidden = new T[batch * h];
        for (int s = 0; s < _layer.States; s++)
            if (pull.Upstream(1 + s) is { } last)
                for (int b = 0; b < batch; b++)
                    last.Values.Slice(PlaceOfState(direction, b), h).CopyTo(states.AsSpan(b * StateLength + s * h));
        for (int step = steps - 1; step >= 0; step--)
        {
            (T[] gates, T[] fromState, T[] before, T[] after) = trace.Steps[step];
            Array.Clear(ofState);
            for (int b = 0; b < batch; b++)
            {
                before.AsSpan(b * StateLength, h).CopyTo(hidden.AsSpan(b * h));
                if (step >= _lengths[b])
                    continue;
                int time = Time(direction, step, b);
                Span<T> own = states.AsSpan(b * StateLength, StateLength),
                    upstream = own[..h];
                if (pull.Upstream(0) is { } dy)
                    TensorPrimitives.Add(upstream, dy.Values.Slice(PlaceOfY(time, direction, b), h), upstream);
                cell.Back(
                    gates.AsSpan(b * _rows, _rows),
                    fromState.AsSpan(b * _rows, _rows),
                    before.AsSpan(b * StateLength, StateLength),
                    after.AsSpan(b * StateLength, StateLength),
                    own,
                    ofInput.AsSpan(Row(time, b) * _rows, _rows),
                    ofState.AsSpan(b * _rows, _rows),
                    h
                );
            }
            if (pull.Gradient(3) is { } bias)
                for (int b = 0; b < batch; b++)
                    Accumulate(bias, 2 * direction + 1, ofState.AsSpan(b * _rows, _rows));
            if (pull.Gradient(2) is { } dr)
                Kernels.MatrixProduct.Multiply(
                    _rows,
                    h,
                    batch,
                    T.One,
                    ofState,
                    1,
                    _rows,
                    hidden,
                    h,
                    1,
                    T.One,
                    dr.Values[(direction * _rows * h)..],
                    h,
                    _workers
                );
            T[] through = new T[batch * h];
            Kernels.MatrixProduct.Multiply(batch, h, _rows, T.One, ofState, _rows, 1, R(direction), h, 1, T.Zero, through, h, _workers);
            for (int b = 0; b < batch; b++)
            {
                Span<T> own = states.AsSpan(b * StateLength, h);
                TensorPrimitives.Add(own, through.AsSpan(b * h, h), own);
            }
        }
        Finish(direction, states, ofInput, pull);
    }

    /// <summary>The gradients that need the whole walk: of W, X, the input's biases and the initial states.</summary>
    private void Finish(int direction, T[] states, T[] ofInput, in Pullback<T> pull)
    {
        (int steps, int batch, int input, int h) = _extents;
        int count = steps * batch;
        if (pull.Gradient(1) is { } dw)
            Kernels.MatrixProduct.Multiply(
                _rows,
                input,
                count,
                T.One,
                ofInput,
                1,
                _rows,
                _x.Values,
                input,
                1,
                T.One,
                dw.Values[(direction * _rows * input)..],
                input,
                _workers
            );
        if (pull.Gradient(0) is { } dx)
            Kernels.MatrixProduct.Multiply(
                count,
                input,
                _rows,
                T.One,
                ofInput,
                _rows,
                1,
                W(direction),
                input,
                1,
                T.One,
                dx.Values,
                input,
                _workers
            );
        if (pull.Gradient(3) is { } bias)
            for (int row = 0; row < count; row++)
                Accumulate(bias, 2 * direction, ofInput.AsSpan(row * _rows, _rows));
        for (int s = 0; s < _layer.States; s++)
            if (pull.Gradient(5 + s) is { } initial)
                for (int b = 0; b < batch; b++)
                {
                    Span<T> target = initial.Values.Slice(PlaceOfState(direction, b), h);
                    TensorPrimitives.Add(target, states.AsSpan(b * StateLength + s * h, h), target);
                }
    }

    /// <summary>The biases of the input join its product, those of the state join the state's: a GRU resets the latter.</summary>
    private void AddBias(int direction, Span<T> fromInput, Span<T> fromState)
    {
        if (_bias is null)
            return;
        ReadOnlySpan<T> biases = _bias.Values.Slice(2 * direction * _rows, 2 * _rows);
        TensorPrimitives.Add(fromInput, biases[.._rows], fromInput);
        TensorPrimitives.Add(fromState, biases[_rows..], fromState);
    }

    private void Accumulate(Tensor<T> bias, int part, ReadOnlySpan<T> values)
    {
        Span<T> target = bias.Values.Slice(part * _rows, _rows);
        TensorPrimitives.Add(target, values, target);
    }

    private T[] InitialStates(int direction)
    {
        T[] states = new T[_extents.Batch * StateLength];
        for (int s = 0; s < _layer.States; s++)
            if (_initial[s] is { } given)
                for (int b = 0; b < _extents.Batch; b++)
                    given.Values.Slice(PlaceOfState(direction, b), Hidden).CopyTo(states.AsSpan(b * StateLength + s * Hidden));
        return states;
    }

    private ReadOnlySpan<T> W(int direction) => _w.Values.Slice(direction * _rows * _extents.Input, _rows * _extents.Input);

    private ReadOnlySpan<T> R(int direction) => _r.Values.Slice(direction * _rows * Hidden, _rows * Hidden);

    /// <summary>The time that a step of a walk stands at; a reverse walk begins at the end of each sequence.</summary>
    private int Time(int direction, int step, int sequence) =>
        direction == 1 || _layer.Direction == SequenceDirection.Reverse ? _lengths[sequence] - 1 - step : step;

    private int Row(int time, int sequence) => _layer.BatchFirst ? sequence * _extents.Steps + time : time * _extents.Batch + sequence;

    private int PlaceOfY(int time, int direction, int sequence) =>
        _layer.BatchFirst
            ? ((sequence * _extents.Steps + time) * _layer.Directions + direction) * Hidden
            : ((time * _layer.Directions + direction) * _extents.Batch + sequence) * Hidden;

    private int PlaceOfState(int direction, int sequence) =>
        (_layer.BatchFirst ? sequence * _layer.Directions + direction : direction * _extents.Batch + sequence) * Hidden;

    private static ShapeException TooLarge() => new("the gates of all steps are too large to compute with.");
}
