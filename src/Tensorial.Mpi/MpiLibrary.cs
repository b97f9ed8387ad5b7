using System.Runtime.InteropServices;
using System.Text;
using Tensorial.Training.Distributed;

namespace Tensorial.Mpi;

/// <summary>
/// The machine's MPI library, loaded at run time: no binary is built against it. Every method is to be called from the thread that has called
/// <see cref="Initialize"/>.
/// </summary>
internal sealed unsafe class MpiLibrary
{
    /// <summary>The environment variable that names the library where the usual names do not find it.</summary>
    public const string PathVariable = "TENSORIAL_MPI";

    private const int Funneled = 1,
        LongestText = 1 << 14;

    private static readonly string[] OpenMpiNames = ["libmpi.so.40", "libmpi.so"],
        MpichNames = ["libmpich.so.12", "libmpi.so.12", "libmpich.so"];

    private readonly nint _library;
    private readonly MpiConstants _constants;
    private readonly delegate* unmanaged[Cdecl]<nint*, int*, nint, int> _test;
    private readonly delegate* unmanaged[Cdecl]<void*, int, nint, void*, int, nint, nint, nint*, int> _allToAll,
        _allGather;
    private readonly delegate* unmanaged[Cdecl]<void*, int, nint, int, nint, nint*, int> _broadcast;
    private readonly delegate* unmanaged[Cdecl]<nint, nint*, int> _barrier;
    private readonly delegate* unmanaged[Cdecl]<nint, nint*, nint*, int> _duplicate;

    private MpiLibrary(nint library)
    {
        _library = library;
        Version = LibraryVersion();
        _constants = MpiConstants.Of(Version, library);
        _test = (delegate* unmanaged[Cdecl]<nint*, int*, nint, int>)Function("MPI_Test");
        _allToAll = (delegate* unmanaged[Cdecl]<void*, int, nint, void*, int, nint, nint, nint*, int>)Function("MPI_Ialltoall");
        _allGather = (delegate* unmanaged[Cdecl]<void*, int, nint, void*, int, nint, nint, nint*, int>)Function("MPI_Iallgather");
        _broadcast = (delegate* unmanaged[Cdecl]<void*, int, nint, int, nint, nint*, int>)Function("MPI_Ibcast");
        _barrier = (delegate* unmanaged[Cdecl]<nint, nint*, int>)Function("MPI_Ibarrier");
        _duplicate = (delegate* unmanaged[Cdecl]<nint, nint*, nint*, int>)Function("MPI_Comm_idup");
    }

    /// <summary>What the library says of itself, its first line.</summary>
    public string Version { get; }

    /// <summary>The communicator of all processes.</summary>
    public nint World => _constants.World;

    /// <summary>Loads a library.</summary>
    /// <param name="isOpenMpi">Whose names are tried first.</param>
    /// <param name="path">The library itself; null for the usual names.</param>
    /// <exception cref="CommunicationException">None is found; says which were tried.</exception>
    public static MpiLibrary Load(bool isOpenMpi, string? path)
    {
        string[] names =
            path is not null ? [path]
            : isOpenMpi ? [.. OpenMpiNames, .. MpichNames]
            : [.. MpichNames, .. OpenMpiNames];
        // Both UCX and .NET want to be told of memory faults; .NET turns them into exceptions, and has to be first.
        DynamicLoader.SetVariable("UCX_ERROR_SIGNALS", "");
        foreach (string name in names)
            if (DynamicLoader.Open(name) is not 0 and var library)
                try
                {
                    return new(library);
                }
                catch (EntryPointNotFoundException error)
                {
                    throw new CommunicationException($"'{name}' is no MPI library that is known: {error.Message}", error);
                }
        throw new CommunicationException(
            $"The MPI library was not found: {string.Join(", ", names)} could not be loaded. Install the run-time library of the MPI that starts the processes, or name it by {PathVariable}."
        );
    }

    /// <summary>Begins MPI for the calling thread.</summary>
    /// <returns>This process's rank, and how many there are.</returns>
    /// <exception cref="CommunicationException">MPI does not start, or not for programs with other threads.</exception>
    public (int Rank, int Size) Initialize()
    {
        int provided,
            rank,
            size;
        var start = (delegate* unmanaged[Cdecl]<nint, nint, int, int*, int>)Function("MPI_Init_thread");
        Check(start(0, 0, Funneled, &provided));
        if (provided < Funneled)
            throw new CommunicationException($"{Version} was built for programs with a single thread; this one has several.");
        var handler = (delegate* unmanaged[Cdecl]<nint, nint, int>)Function("MPI_Comm_set_errhandler");
        Check(handler(World, _constants.ErrorsReturn));
        Check(((delegate* unmanaged[Cdecl]<nint, int*, int>)Function("MPI_Comm_rank"))(World, &rank));
        Check(((delegate* unmanaged[Cdecl]<nint, int*, int>)Function("MPI_Comm_size"))(World, &size));
        return (rank, size);
    }

    /// <summary>Ends MPI; waits for the other ranks.</summary>
    public void Finish() => Check(((delegate* unmanaged[Cdecl]<int>)Function("MPI_Finalize"))());

    /// <summary>Ends all processes.</summary>
    public void Abort(int exitCode) => _ = ((delegate* unmanaged[Cdecl]<nint, int, int>)Function("MPI_Abort"))(World, exitCode);

    /// <summary>Whether an operation is done; its request is then free.</summary>
    public bool IsDone(nint* request)
    {
        int flag = 0;
        Check(_test(request, &flag, _constants.IgnoredStatus));
        return flag != 0;
    }

    /// <summary>Begins to give the k-th part of what is sent to rank k; what comes from rank k is the k-th part of what is received.</summary>
    public void AllToAll(nint communicator, void* send, void* receive, int bytes, nint* request) =>
        Check(_allToAll(send, bytes, _constants.Byte, receive, bytes, _constants.Byte, communicator, request));

    /// <summary>Begins to give all ranks what each has.</summary>
    public void AllGather(nint communicator, void* send, void* receive, int bytes, nint* request) =>
        Check(_allGather(send, bytes, _constants.Byte, receive, bytes, _constants.Byte, communicator, request));

    /// <summary>Begins to give all ranks what one has.</summary>
    public void Broadcast(nint communicator, void* values, int bytes, int root, nint* request) =>
        Check(_broadcast(values, bytes, _constants.Byte, root, communicator, request));

    /// <summary>Begins to wait for all ranks.</summary>
    public void Barrier(nint communicator, nint* request) => Check(_barrier(communicator, request));

    /// <summary>Begins to make a communicator of the same ranks.</summary>
    public void Duplicate(nint communicator, nint* made, nint* request) => Check(_duplicate(communicator, made, request));

    private string LibraryVersion()
    {
        byte* text = stackalloc byte[LongestText];
        int length;
        Check(((delegate* unmanaged[Cdecl]<byte*, int*, int>)Function("MPI_Get_library_version"))(text, &length));
        string line = Encoding.UTF8.GetString(text, length).Split('\n', ',')[0];
        return string.Join(' ', line.Split(['\t', ' ', '\0'], StringSplitOptions.RemoveEmptyEntries));
    }

    /// <summary>The address of a function; the loader keeps what it has found.</summary>
    private void* Function(string name) => (void*)NativeLibrary.GetExport(_library, name);

    private void Check(int code)
    {
        if (code == 0)
            return;
        byte* text = stackalloc byte[LongestText];
        int length = 0;
        _ = ((delegate* unmanaged[Cdecl]<int, byte*, int*, int>)Function("MPI_Error_string"))(code, text, &length);
        throw new CommunicationException($"MPI reports an error: {Encoding.UTF8.GetString(text, length).TrimEnd('\0', ' ', '\n')}.");
    }
}
