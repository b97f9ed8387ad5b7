using Tensorial.Data;

namespace Tensorial.Tests.Data;

/// <summary>Picture files that Pillow makes, and what Pillow reads from them.</summary>
internal static class Pictures
{
    /// <summary>
    /// Runs a Python program that writes pictures into a folder and, for what is to be compared, <c>keep(name, array)</c>. A picture
    /// <c>im</c> of 171 × 133 pixels with gradients, edges and noise is there.
    /// </summary>
    public static void Make(string folder, string program) =>
        Oracles.RunPython(
            $$"""
            import os, sys
            import numpy as np
            from PIL import Image, ImageOps
            os.chdir(sys.argv[1])
            r = np.random.default_rng(0)
            y, x = np.mgrid[0:133, 0:171]
            a = np.stack([127 + 100 * np.sin(x / 9 + y / 20), 127 + 100 * np.cos(y / 7), (x * y / 100) % 256], -1)
            im = Image.fromarray((a + r.normal(0, 8, a.shape)).clip(0, 255).astype('u1'))
            def keep(name, array):
                np.save(name + '.npy', np.ascontiguousarray(array))
            {{program}}
            """,
            folder
        );

    /// <summary>The files of a folder beside what was kept of them.</summary>
    public static IReadOnlyList<(string Path, Tensor<byte> Kept)> In(string folder)
    {
        (string, Tensor<byte>)[] files =
        [
            .. from path in Directory.GetFiles(folder).Order(StringComparer.Ordinal)
            where ImageFile.Extensions.Contains(Path.GetExtension(path))
            select (path, NpyFile.Read(path + ".npy").Of<byte>()),
        ];
        Assert.NotEmpty(files);
        return files;
    }

    public static void AreEqual(string what, Tensor<byte> expected, Tensor<byte> actual)
    {
        Assert.Equal(expected.Shape, actual.Shape);
        int differs = 0;
        while (differs < expected.Values.Length && expected.Values[differs] == actual.Values[differs])
            differs++;
        if (differs < expected.Values.Length)
            Assert.Fail($"{what}: value {differs} is {actual.Values[differs]}, not {expected.Values[differs]}.");
    }
}
