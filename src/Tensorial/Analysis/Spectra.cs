using Tensorial.Kernels;
using Tensorial.LinearAlgebra;

namespace Tensorial.Analysis;

/// <summary>
/// Singular values of kernels along cuts. Work is shared: axes of extent 1 are dropped first, so that cuts which differ only in
/// them have one decomposition; cuts that leave a matrix of one row need the norm alone; and where the channels together have
/// more values than space has (always, beyond the smallest kernels) one QR factorisation replaces them by a single short axis
/// for every cut that keeps them on one side, exactly, because an orthogonal factor changes no singular value.
/// </summary>
internal static class Spectra
{
    /// <summary>The spectra of one kernel, in the order of the cuts.</summary>
    public static IReadOnlyList<CutSpectrum> Of(Kernel kernel, IReadOnlyList<Cut> cuts, Workers workers) =>
        Of([(kernel, cuts)], workers)[0];

    /// <summary>The spectra of many kernels; kernels and cuts are worked on side by side, the costliest first.</summary>
    /// <param name="finished">Given each kernel's place and spectra once all its cuts are done; may be called on any thread.</param>
    public static IReadOnlyList<IReadOnlyList<CutSpectrum>> Of(
        IReadOnlyList<(Kernel Kernel, IReadOnlyList<Cut> Cuts)> kernels,
        Workers workers,
        Action<int, IReadOnlyList<CutSpectrum>>? finished = null
    )
    {
        Dictionary<Cut, double[]>[] values = [.. kernels.Select(static _ => new Dictionary<Cut, double[]>())];
        Job[] jobs = [.. kernels.SelectMany((entry, index) => JobsOf(index, entry.Kernel, entry.Cuts)).OrderByDescending(job => job.Cost)];
        IReadOnlyList<CutSpectrum>[] spectra = new IReadOnlyList<CutSpectrum>[kernels.Count];
        int[] open = new int[kernels.Count];
        foreach (Job job in jobs)
            open[job.Index]++;
        for (int index = 0; index < open.Length; index++)
        {
            if (open[index] == 0)
                Finish(index);
        }
        workers.For(
            jobs.Length,
            index =>
            {
                Job job = jobs[index];
                Dictionary<Cut, double[]> own = values[job.Index];
                foreach ((Cut cut, double[] spectrum) in job.Run(kernels[job.Index].Kernel))
                {
                    lock (own)
                        own[cut] = spectrum;
                }
                if (Interlocked.Decrement(ref open[job.Index]) == 0)
                    Finish(job.Index);
            }
        );
        return spectra;

        void Finish(int index)
        {
            spectra[index] = [.. kernels[index].Cuts.Select(cut => Assemble(kernels[index].Kernel, cut, values[index]))];
            finished?.Invoke(index, spectra[index]);
        }
    }

    private static CutSpectrum Assemble(Kernel kernel, Cut cut, Dictionary<Cut, double[]> values)
    {
        int rows = kernel.Extent(cut.Left),
            columns = kernel.Extent(cut.Right);
        double[] spectrum = cut.Among(kernel.LongAxes) is { } matrix ? values[matrix] : [kernel.Norm];
        return new(cut.ToString(), rows, columns, [.. spectrum]);
    }

    /// <summary>The matrices whose singular values are needed: one job each, or one for all cuts that share a factorisation.</summary>
    private static IEnumerable<Job> JobsOf(int index, Kernel kernel, IReadOnlyList<Cut> cuts)
    {
        string axes = kernel.LongAxes;
        Cut[] distinct = [.. cuts.Select(cut => cut.Among(axes)).OfType<Cut>().Distinct()];
        string channels = string.Concat(axes.Where(axis => axis is 'o' or 'i')),
            space = string.Concat(axes.Where(axis => axis is not ('o' or 'i')));
        bool merge = channels.Length == 2 && space.Length > 0 && kernel.Extent(channels) > kernel.Extent(space);
        bool Together(Cut cut) => merge && (channels.All(cut.Left.Contains) || channels.All(cut.Right.Contains));

        Cut[] together = [.. distinct.Where(Together)];
        if (together.Length > 0)
        {
            double small = kernel.Extent(space);
            yield return new(index, kernel.Extent(channels) * small * small, Cut.From(channels, space), together);
        }
        foreach (Cut cut in distinct.Where(cut => !Together(cut)))
        {
            double rows = kernel.Extent(cut.Left),
                columns = kernel.Extent(cut.Right),
                small = Math.Min(rows, columns);
            yield return new(index, rows * columns * small, null, [cut]);
        }
    }

    /// <summary>
    /// The spectra of some cuts of one kernel. With <paramref name="Merged"/>, its larger side is first replaced by the
    /// triangular factor of that matricisation.
    /// </summary>
    private sealed record Job(int Index, double Cost, Cut? Merged, Cut[] Cuts)
    {
        // Not one of the letters axes have in a network.
        private const string Short = "x";

        public IEnumerable<(Cut Cut, double[] Values)> Run(Kernel kernel)
        {
            string axes = kernel.LongAxes;
            Tensor<double> tensor = kernel.Values.As([.. axes.Select(kernel.Extent)]);
            if (Merged is not { } merged)
            {
                foreach (Cut cut in Cuts)
                    yield return (cut, Values(Matricisation.Unfold(tensor, axes, cut)));
                yield break;
            }
            string channels = merged.Left.Contains('o') ? merged.Left : merged.Right,
                space = merged.Left == channels ? merged.Right : merged.Left;
            int extent = kernel.Extent(space);
            Tensor<double> core = Qr.Thin(Matricisation.Unfold(tensor, axes, channels, space))
                .R.As([extent, .. space.Select(kernel.Extent)]);
            foreach (Cut cut in Cuts)
            {
                string rest = string.Concat(cut.Left.Contains(channels[0]) ? cut.Right : cut.Left);
                string kept = string.Concat(space.Where(axis => !rest.Contains(axis)));
                yield return (cut, Values(Matricisation.Unfold(core, Short + space, Short + kept, rest)));
            }
        }

        private static double[] Values(Tensor<double> matrix) =>
            Math.Min(matrix.Shape[0], matrix.Shape[1]) == 1 ? [Kernel.FrobeniusNorm(matrix.Values)] : Svd.Values(matrix);
    }
}
