using System.Reflection;
using Xunit.Sdk;

namespace Tensorial.Tests;

/// <summary>A network made by others on which a test is skipped, by name and with the reason.</summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
public sealed class LeftOutAttribute : DataAttribute
{
    public LeftOutAttribute(string file, string reason) => (File, Skip) = (file, reason);

    /// <summary>The name of its file.</summary>
    public string File { get; }

    public override IEnumerable<object[]> GetData(MethodInfo testMethod) =>
        Oracles.ForeignModels.Where(path => Path.GetFileName(path) == File).Select(static path => (object[])[path]);
}
