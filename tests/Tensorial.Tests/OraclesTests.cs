namespace Tensorial.Tests;

/// <summary>A test that is skipped proves nothing: what the script of CI installed has to be found.</summary>
public class OraclesTests
{
    [Fact]
    public void What_was_installed_is_found()
    {
        string installed = Environment.GetEnvironmentVariable("TENSORIAL_ORACLES") ?? "";
        Oracle wanted = installed
            .Split(',', StringSplitOptions.RemoveEmptyEntries)
            .Aggregate(Oracle.None, static (all, name) => all | Enum.Parse<Oracle>(name));
        Assert.Equal("", Oracles.Missing(wanted));
    }
}
