using System.Collections.Immutable;
using System.Globalization;
using Tensorial.Equations;

namespace Tensorial.Benchmarks.Equations;

/// <summary>
/// Single steps of many kinds against what cost models expect of them: the built-in one, and the one fitted to this machine.
/// </summary>
internal static class StepCosts
{
    public static void Run()
    {
        ImmutableArray<MeasuredStep> steps = CostCalibration.Measure();
        CostModel fitted = CostCalibration.Fit(steps, "this machine");
        foreach (MeasuredStep step in steps)
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{step.Equation, -30} {string.Join(',', step.Shapes), -26} {1e6 * step.Seconds, 9:F1} µs {step.Macs / step.Seconds / 1e9, 6:F1} GMAC/s   model/measured: built in {step.Ratio(CostModel.Default), 5:F2}, fitted {step.Ratio(fitted), 5:F2}"
                )
            );
        foreach ((string name, CostModel model) in new[] { ("built in", CostModel.Default), ("fitted", fitted) })
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{name}: off by a factor of {Math.Exp(steps.Average(step => Math.Abs(Math.Log(step.Ratio(model))))):F2} in the mean, {steps.Max(step => Math.Exp(Math.Abs(Math.Log(step.Ratio(model))))):F2} at worst; {model}"
                )
            );
    }
}
