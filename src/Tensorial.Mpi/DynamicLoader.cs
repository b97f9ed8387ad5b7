using System.Runtime.InteropServices;

namespace Tensorial.Mpi;

/// <summary>The system's loader of libraries.</summary>
internal static unsafe class DynamicLoader
{
    /// <summary>All symbols at once, and seen by libraries that are loaded later: Open MPI's plug-ins look for those of the library itself.</summary>
    private const int NowAndGlobal = 0x2 | 0x100;

    /// <summary>Loads a library.</summary>
    /// <param name="name">Its name or path.</param>
    /// <returns>0 where it is not found or needs what is not found.</returns>
    public static nint Open(string name)
    {
        if (!OperatingSystem.IsLinux() || !TryFind("dlopen", out nint open))
            return NativeLibrary.TryLoad(name, out nint library) ? library : 0;
        nint text = Marshal.StringToCoTaskMemUTF8(name);
        nint handle = ((delegate* unmanaged[Cdecl]<nint, int, nint>)open)(text, NowAndGlobal);
        Marshal.FreeCoTaskMem(text);
        return handle;
    }

    /// <summary>Sets an environment variable that libraries read, where it is not set: .NET keeps its own to itself.</summary>
    public static void SetVariable(string name, string value)
    {
        if (!OperatingSystem.IsLinux() || !TryFind("setenv", out nint set))
            return;
        nint key = Marshal.StringToCoTaskMemUTF8(name),
            text = Marshal.StringToCoTaskMemUTF8(value);
        _ = ((delegate* unmanaged[Cdecl]<nint, nint, int, int>)set)(key, text, 0);
        Marshal.FreeCoTaskMem(key);
        Marshal.FreeCoTaskMem(text);
    }

    /// <summary>A function of the system's library: before glibc 2.34 the loader had one of its own.</summary>
    private static bool TryFind(string name, out nint function)
    {
        function = 0;
        foreach (string library in (string[])["libc.so.6", "libdl.so.2", "libc.so"])
            if (NativeLibrary.TryLoad(library, out nint handle) && NativeLibrary.TryGetExport(handle, name, out function))
                return true;
        return false;
    }
}
