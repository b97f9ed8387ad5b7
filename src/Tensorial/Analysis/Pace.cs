namespace Tensorial.Analysis;

/// <summary>Counts finished work whose pieces differ in cost, and reports both the count and the part of the cost.</summary>
internal sealed class Pace(int pieces, double cost, IProgress<Progress>? progress)
{
    private int _pieces;
    private double _cost;

    public void Step(double own)
    {
        _pieces++;
        _cost += own;
        progress?.Report(new("sweep", _pieces, pieces, "points") { Part = Math.Min(1, _cost / cost) });
    }
}
