using System.Runtime.InteropServices;
using Tensorial.Training.Distributed;

namespace Tensorial.Mpi;

/// <summary>
/// What mpi.h makes of names, which differs from one implementation to the other. Only bytes travel, and sums are made here, so that it is little.
/// </summary>
/// <param name="World">MPI_COMM_WORLD.</param>
/// <param name="Byte">MPI_BYTE.</param>
/// <param name="ErrorsReturn">MPI_ERRORS_RETURN.</param>
/// <param name="IgnoredStatus">MPI_STATUS_IGNORE.</param>
internal sealed record MpiConstants(nint World, nint Byte, nint ErrorsReturn, nint IgnoredStatus)
{
    /// <summary>The table for a library, by what it says of itself.</summary>
    /// <param name="version">What MPI_Get_library_version gives.</param>
    /// <param name="library">The library.</param>
    /// <exception cref="CommunicationException">It is neither Open MPI nor MPICH nor one of MPICH's relatives.</exception>
    public static MpiConstants Of(string version, nint library)
    {
        // Handles are the addresses of what they stand for.
        if (version.Contains("Open MPI", StringComparison.Ordinal))
            return new(
                NativeLibrary.GetExport(library, "ompi_mpi_comm_world"),
                NativeLibrary.GetExport(library, "ompi_mpi_byte"),
                NativeLibrary.GetExport(library, "ompi_mpi_errors_return"),
                0
            );
        // Handles are numbers, the same in all of the MPICH ABI initiative.
        string[] relatives = ["MPICH", "Intel(R) MPI", "MVAPICH", "ParaStation"];
        if (relatives.Any(name => version.Contains(name, StringComparison.OrdinalIgnoreCase)))
            return new(0x44000000, 0x4c00010d, 0x54000001, 1);
        throw new CommunicationException($"The MPI library is '{version}'; Open MPI and MPICH are supported.");
    }
}
