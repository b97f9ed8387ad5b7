using Tensorial.Data;
using Tensorial.Execution;

namespace Tensorial.Analysis;

/// <summary>
/// The activations of all images just before one step of the network: computed once, moved forward from layer to layer, and
/// shared by every measurement that changes nothing before that step. Held in memory as long as they fit a budget.
/// </summary>
internal sealed class PrefixActivations(Inference network, ImageSet images, int batch, long budget)
{
    private Activations[]? _held;
    private int _step = -1;

    public int Batches => (images.Count + batch - 1) / batch;

    /// <summary>Whether the activations are in memory, so that a measurement need not compute them.</summary>
    public bool Held => _held is not null;

    public ReadOnlySpan<int> Labels(int index) => images.Labels.Slice(index * batch, Size(index));

    /// <summary>Goes to another step. Going back computes from the images again.</summary>
    public void MoveTo(int step, CancellationToken cancel)
    {
        if (step == _step)
            return;
        Activations[]? from = step > _step ? _held : null;
        (_held, _step) = (null, step);
        Activations[] held = from ?? new Activations[Batches];
        long bytes = 0;
        for (int index = 0; index < held.Length; index++)
        {
            cancel.ThrowIfCancellationRequested();
            held[index] = from is null ? Compute(index) : network.Continue(held[index], step);
            bytes += held[index].Bytes;
            // The first batch tells how much all will take.
            if (Math.Max(bytes, held[0].Bytes * (long)(held.Length - 1)) > budget)
                return;
        }
        _held = held;
    }

    public Activations At(int index) => _held?[index] ?? Compute(index);

    private Activations Compute(int index) => network.RunTo(_step, images.Batch(index * batch, Size(index)));

    private int Size(int index) => Math.Min(batch, images.Count - index * batch);
}
