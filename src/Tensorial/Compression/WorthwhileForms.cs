using Tensorial.Graphs;
using Tensorial.Onnx;

namespace Tensorial.Compression;

/// <summary>Forms of a layer that make something smaller and nothing larger: parameters, multiply-accumulates, bytes of the file.</summary>
internal static class WorthwhileForms
{
    /// <summary>More than this saved in weights pays for the nodes and names that factors add.</summary>
    private const int BytesOfNodes = 1 << 13;

    /// <summary>Whether the layer gets smaller in this form, without more work and without a larger file.</summary>
    public static bool Contain(CompressibleLayer layer, LayerForm form) => WhyNot(layer, form) is null;

    /// <summary>Why no format makes the layer smaller: a clause that follows "because".</summary>
    public static string WhyNone(CompressibleLayer layer) =>
        layer
            .Formats.Select(format => LayerForm.From(layer, format, [.. layer.FormOf(format).MaxRanks.Select(static _ => 1)]))
            .Select(form => WhyNot(layer, form))
            .OrderDescending()
            .FirstOrDefault() switch
        {
            Obstacle.FileBytes => "every smaller form takes more bytes in the file, for its nodes and names",
            Obstacle.Macs => "every smaller form takes more multiply-accumulates",
            _ => "no form of it is smaller",
        };

    private static Obstacle? WhyNot(CompressibleLayer layer, LayerForm form) =>
        form.Parameters >= layer.Parameters ? Obstacle.Parameters
        : form.MacsOf(layer) > layer.Macs ? Obstacle.Macs
        : GrowsFile(layer, form) ? Obstacle.FileBytes
        : null;

    /// <summary>What is saved in weights is saved once; nodes and names come with every node that uses them.</summary>
    private static bool GrowsFile(CompressibleLayer layer, LayerForm form)
    {
        long saved = (layer.Parameters - form.Parameters) * layer.Weight.Weights.ElementType.Size();
        if (saved > (long)BytesOfNodes * layer.Uses.Length)
            return false;
        CompressibleLayer one = LatencyProbe.InFloat32(layer);
        Graph alone = LatencyProbe.Alone(one);
        Graph factored = FactorRewrite.Apply(alone, one, form, LatencyProbe.Zeros(form));
        long inFloat32 = (layer.Parameters - form.Parameters) * sizeof(float),
            nodes = OnnxFile.ToBytes(factored).Length - OnnxFile.ToBytes(alone).Length + inFloat32;
        return nodes * layer.Uses.Length > saved;
    }

    /// <summary>What would grow; the last is the one that a form gets furthest to.</summary>
    private enum Obstacle
    {
        Parameters,
        Macs,
        FileBytes,
    }
}
