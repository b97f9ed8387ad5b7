using System.Runtime.CompilerServices;
using Tensorial.Compression;

namespace Tensorial.Tests;

/// <summary>No test says how long anything takes, so that what is timed within one need not be timed well.</summary>
internal static class Haste
{
#pragma warning disable CA2255 // The tests are the application.
    [ModuleInitializer]
#pragma warning restore CA2255
    public static void ShortenMeasurements() => PairedTiming.SecondsPerMeasurement /= 10;
}
