using System.Globalization;

namespace Tensorial.Training.Schedules;

/// <summary>
/// Schedules as text: <c>constant</c>, <c>cosine</c>, <c>onecycle</c>, <c>step:60,120</c> (tenfold less at the end of these epochs).
/// </summary>
internal static class ScheduleText
{
    /// <param name="text">The schedule.</param>
    /// <param name="epochs">Epochs of the training.</param>
    /// <param name="warmUp">Epochs of it in which the rate rises from 0.</param>
    /// <exception cref="BadInputException">It is none of these; the message names what is wrong.</exception>
    public static Schedule Parse(string text, int epochs, double warmUp = 0)
    {
        (string name, string value) = text.Split(':') is [var before, var after] ? (before, after) : (text, "");
        Schedule schedule = (name.ToLowerInvariant(), value) switch
        {
            ("constant", "") => new ConstantRate(),
            ("cosine", "") => new Cosine(),
            ("onecycle", "") => new OneCycle(),
            ("step", not "") => new StepDecay([.. value.Split(',').Select(part => Epoch(text, part) / epochs)]),
            _ => throw new BadInputException(
                $"'{text}' is no schedule; there are constant, cosine, onecycle and step:EPOCH,…, such as step:60,120."
            ),
        };
        if (warmUp < 0 || warmUp > epochs)
            throw new BadInputException($"A warm-up of {warmUp} epochs does not fit into {epochs}.");
        return warmUp > 0 ? new WarmUp(warmUp / epochs, schedule) : schedule;
    }

    private static double Epoch(string text, string part) =>
        double.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out double epoch) && epoch > 0
            ? epoch
            : throw new BadInputException($"'{text}': '{part}' is no epoch.");
}
