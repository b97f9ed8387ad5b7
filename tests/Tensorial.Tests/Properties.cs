using FsCheck;

namespace Tensorial.Tests;

/// <summary>
/// How properties are tried: on the same hundred cases every time, so that a run means the same everywhere, or with TENSORIAL_HEAVY=1 on
/// two thousand fresh ones. A case that failed is kept beside its property.
/// </summary>
internal static class Properties
{
    private static readonly Config Usual = Config.QuickThrowOnFailure.WithReplay(20180528, 20240321);

    private static readonly Config Heavy = Config.QuickThrowOnFailure.WithMaxTest(2000);

    public static void Holds(this Property property) => Check.One(Oracles.Heavy ? Heavy : Usual, property);
}
