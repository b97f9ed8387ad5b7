namespace Tensorial.Data;

/// <summary>Which part of a data set: training and calibration read the first, accuracy is measured on the second.</summary>
public enum DataSplit
{
    /// <summary>Training images.</summary>
    Train,

    /// <summary>Test images.</summary>
    Test,
}
