using System.Collections.Immutable;

namespace Tensorial.Operations;

/// <summary>Visits the positions of a sliding window in row-major order and says which taps meet the input, and where.</summary>
internal sealed class WindowWalk
{
    private readonly ImmutableArray<WindowAxis> _axes;
    private readonly int[] _position,
        _tapStrides,
        _inputStrides;
    private readonly (int Tap, int Offset)[] _taps;
    private int _count;
    private bool _started;

    public WindowWalk(ImmutableArray<WindowAxis> axes)
    {
        _axes = axes;
        _position = new int[axes.Length];
        Shape taps = Shape.From([.. axes.Select(static a => a.Taps)]);
        _tapStrides = taps.Strides();
        _inputStrides = Shape.From([.. axes.Select(static a => a.Input)]).Strides();
        // No more taps meet the input than it has values, however large the window.
        _taps = new (int, int)[Shape.From([.. axes.Select(static a => Math.Min(a.Taps, a.Input))]).ElementCount];
    }

    /// <summary>The window's position along each axis.</summary>
    public ReadOnlySpan<int> Position => _position;

    /// <summary>Taps that meet the input: their index in the window and the offset of the value they meet in the input's plane.</summary>
    public ReadOnlySpan<(int Tap, int Offset)> Taps => _taps.AsSpan(0, _count);

    /// <summary>Moves to the next position; false behind the last.</summary>
    public bool Next()
    {
        if (_started && !Advance())
            return false;
        if (!_started && _axes.Any(static a => a.Output == 0))
            return false;
        _started = true;
        _count = 0;
        Collect(0, 0, 0);
        return true;
    }

    /// <summary>How many taps meet the input or its padding.</summary>
    public int TapsInPadding()
    {
        int count = 1;
        for (int axis = 0; axis < _axes.Length; axis++)
        {
            WindowAxis window = _axes[axis];
            int room = window.Input + window.Begin + window.End - _position[axis] * window.Stride;
            count *= Math.Min(window.Taps, (room - 1) / window.Dilation + 1);
        }
        return count;
    }

    private bool Advance()
    {
        for (int axis = _axes.Length - 1; axis >= 0; axis--)
        {
            if (++_position[axis] < _axes[axis].Output)
                return true;
            _position[axis] = 0;
        }
        return false;
    }

    private void Collect(int axis, int tap, int offset)
    {
        if (axis == _axes.Length)
        {
            _taps[_count++] = (tap, offset);
            return;
        }
        WindowAxis window = _axes[axis];
        (int first, int past) = window.TapsInside(_position[axis]);
        int start = _position[axis] * window.Stride - window.Begin;
        for (int k = first; k < past; k++)
            Collect(axis + 1, tap + k * _tapStrides[axis], offset + (start + k * window.Dilation) * _inputStrides[axis]);
    }
}
