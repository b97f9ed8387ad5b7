using Tensorial.Equations;

namespace Tensorial.Tests.Equations;

/// <summary>
/// The definition of an equation's result, by going through every index of everything. Slow, and written from docs/einsum.md alone.
/// </summary>
internal static class BruteForce
{
    public static Tensor<double> Evaluate(Equation equation, params Tensor<double>[] operands)
    {
        List<(char Axis, int Operand, int Extent)> indices = [];
        Dictionary<char, (int Signal, int Extent, int Constant)> windows = [];
        foreach (Window window in equation.Windows)
        {
            int[] holders = [.. Enumerable.Range(0, operands.Length).Where(i => equation.Inputs[i].Contains(window.Axis))];
            int[] extents = [.. holders.Select(i => operands[i].Shape[equation.Inputs[i].IndexOf(window.Axis)])];
            int reach = window.Dilation * extents.Skip(1).Sum(static extent => extent - 1);
            (int before, int after) = PaddingOf(window, extents[0], reach);
            windows[window.Axis] = (
                extents[0],
                (extents[0] + before + after - reach - 1) / window.Stride + 1,
                window.Kind == WindowKind.Correlation ? -before : reach - before
            );
            for (int k = 1; k < holders.Length; k++)
                indices.Add((window.Axis, holders[k], extents[k]));
            indices.Add((window.Axis, -1, windows[window.Axis].Extent));
        }
        for (int i = 0; i < operands.Length; i++)
        for (int place = 0; place < equation.Inputs[i].Length; place++)
        {
            char axis = equation.Inputs[i][place];
            if (!windows.ContainsKey(axis) && !indices.Exists(index => index.Axis == axis))
                indices.Add((axis, -1, operands[i].Shape[place]));
        }

        Shape all = Shape.From([.. indices.Select(static index => index.Extent)]);
        Tensor<double> result = new([
            .. equation.Output.Select(axis => indices.Find(index => index.Axis == axis && index.Operand < 0).Extent),
        ]);
        int[] strides = result.Shape.Strides();
        for (int i = 0; i < all.ElementCount; i++)
        {
            int[] at = Operations.Some.Index(all, i);
            double product = 1;
            for (int operand = 0; operand < operands.Length && product != 0; operand++)
                product *= Value(operand, at);
            int to = 0;
            for (int place = 0; place < equation.Output.Length; place++)
                to += strides[place] * at[indices.FindIndex(index => index.Axis == equation.Output[place] && index.Operand < 0)];
            result.Values[to] += product;
        }
        return result;

        double Value(int operand, int[] at)
        {
            int offset = 0;
            int[] own = operands[operand].Shape.Strides();
            for (int place = 0; place < own.Length; place++)
            {
                char axis = equation.Inputs[operand][place];
                int index = indices.FindIndex(index => index.Axis == axis && index.Operand == operand);
                if (index < 0 && windows.ContainsKey(axis))
                {
                    Window window = equation.Windows.First(own => own.Axis == axis);
                    int sign = window.Kind == WindowKind.Correlation ? 1 : -1,
                        x = windows[axis].Constant;
                    for (int k = 0; k < at.Length; k++)
                        if (indices[k].Axis == axis)
                            x += at[k] * (indices[k].Operand < 0 ? window.Stride : sign * window.Dilation);
                    int signal = windows[axis].Signal;
                    if (window.IsCircular)
                        x = ((x % signal) + signal) % signal;
                    if (x < 0 || x >= signal)
                        return 0;
                    offset += x * own[place];
                }
                else
                    offset += own[place] * at[index >= 0 ? index : indices.FindIndex(index => index.Axis == axis)];
            }
            return operands[operand].Values[offset];
        }
    }

    private static (int Before, int After) PaddingOf(Window window, int signal, int reach)
    {
        switch (window.Padding.ToString())
        {
            case "valid":
                return (0, 0);
            case "full":
                return (reach, reach);
            case "same":
                int positions = (signal + window.Stride - 1) / window.Stride,
                    total = Math.Max(0, (positions - 1) * window.Stride + reach + 1 - signal);
                return window.Kind == WindowKind.Correlation ? (total / 2, total - total / 2) : (total - total / 2, total / 2);
            default:
                int[] numbers = [.. window.Padding.ToString().Split(':').Select(int.Parse)];
                return (numbers[0], numbers[^1]);
        }
    }
}
