using System.Runtime.InteropServices;

namespace Tensorial.Compression.Runtimes;

/// <summary>
/// The part of ONNX Runtime's C API that running a network takes, by place in its table of functions. Places never change: the table only
/// grows (onnxruntime_c_api.h, "OrtApi").
/// </summary>
internal sealed unsafe class OrtApi
{
    private const int GetErrorMessagePlace = 2,
        CreateEnvPlace = 3,
        CreateSessionFromArrayPlace = 8,
        RunPlace = 9,
        CreateSessionOptionsPlace = 10,
        SetSessionGraphOptimizationLevelPlace = 23,
        SetIntraOpNumThreadsPlace = 24,
        SetInterOpNumThreadsPlace = 25,
        CreateTensorWithDataAsOrtValuePlace = 49,
        GetTensorMutableDataPlace = 51,
        GetDimensionsCountPlace = 61,
        GetDimensionsPlace = 62,
        GetTensorTypeAndShapePlace = 65,
        CreateCpuMemoryInfoPlace = 69,
        ReleaseEnvPlace = 92,
        ReleaseStatusPlace = 93,
        ReleaseMemoryInfoPlace = 94,
        ReleaseSessionPlace = 95,
        ReleaseValuePlace = 96,
        ReleaseTensorTypeAndShapeInfoPlace = 99,
        ReleaseSessionOptionsPlace = 100;

    private const int Warnings = 2,
        AllOptimizations = 99,
        ArenaAllocator = 1,
        DefaultMemory = 0,
        Float = 1;

    /// <summary>The first version whose table has all of these.</summary>
    private const uint Version = 1;

    private readonly nint* _table;

    /// <summary>Opens the table of a loaded library.</summary>
    public OrtApi(nint library)
    {
        nint* entry = ((delegate* unmanaged<nint*>)NativeLibrary.GetExport(library, "OrtGetApiBase"))();
        _table = (nint*)((delegate* unmanaged<uint, nint>)entry[0])(Version);
        VersionText = Marshal.PtrToStringUTF8(((delegate* unmanaged<nint>)entry[1])()) ?? "?";
    }

    public string VersionText { get; }

    public nint CreateEnvironment()
    {
        nint result;
        fixed (byte* name = "tensorial\0"u8)
            Check(((delegate* unmanaged<int, byte*, nint*, nint>)_table[CreateEnvPlace])(Warnings, name, &result));
        return result;
    }

    public nint CreateOptions(int threads)
    {
        nint result;
        Check(((delegate* unmanaged<nint*, nint>)_table[CreateSessionOptionsPlace])(&result));
        Check(((delegate* unmanaged<nint, int, nint>)_table[SetSessionGraphOptimizationLevelPlace])(result, AllOptimizations));
        Check(((delegate* unmanaged<nint, int, nint>)_table[SetIntraOpNumThreadsPlace])(result, threads));
        Check(((delegate* unmanaged<nint, int, nint>)_table[SetInterOpNumThreadsPlace])(result, 1));
        return result;
    }

    public nint CreateSession(nint environment, ReadOnlySpan<byte> model, nint options)
    {
        nint result;
        fixed (byte* bytes = model)
            Check(
                ((delegate* unmanaged<nint, byte*, nuint, nint, nint*, nint>)_table[CreateSessionFromArrayPlace])(
                    environment,
                    bytes,
                    (nuint)model.Length,
                    options,
                    &result
                )
            );
        return result;
    }

    public nint CreateCpuMemory()
    {
        nint result;
        Check(((delegate* unmanaged<int, int, nint*, nint>)_table[CreateCpuMemoryInfoPlace])(ArenaAllocator, DefaultMemory, &result));
        return result;
    }

    /// <summary>A tensor over memory of ours, which must stay where it is.</summary>
    public nint CreateTensor(nint memory, float* values, int count, ReadOnlySpan<long> extents)
    {
        nint result;
        fixed (long* shape = extents)
            Check(
                ((delegate* unmanaged<nint, float*, nuint, long*, nuint, int, nint*, nint>)_table[CreateTensorWithDataAsOrtValuePlace])(
                    memory,
                    values,
                    (nuint)count * sizeof(float),
                    shape,
                    (nuint)extents.Length,
                    Float,
                    &result
                )
            );
        return result;
    }

    public nint Run(nint session, ReadOnlySpan<byte> inputName, nint input, ReadOnlySpan<byte> outputName)
    {
        nint result = 0;
        fixed (
            byte* from = inputName,
                to = outputName
        )
            Check(
                ((delegate* unmanaged<nint, nint, byte**, nint*, nuint, byte**, nuint, nint*, nint>)_table[RunPlace])(
                    session,
                    0,
                    &from,
                    &input,
                    1,
                    &to,
                    1,
                    &result
                )
            );
        return result;
    }

    public float* Data(nint value)
    {
        float* result;
        Check(((delegate* unmanaged<nint, float**, nint>)_table[GetTensorMutableDataPlace])(value, &result));
        return result;
    }

    public Shape ShapeOf(nint value)
    {
        nint info;
        Check(((delegate* unmanaged<nint, nint*, nint>)_table[GetTensorTypeAndShapePlace])(value, &info));
        try
        {
            nuint rank;
            Check(((delegate* unmanaged<nint, nuint*, nint>)_table[GetDimensionsCountPlace])(info, &rank));
            long[] extents = new long[rank];
            fixed (long* shape = extents)
                Check(((delegate* unmanaged<nint, long*, nuint, nint>)_table[GetDimensionsPlace])(info, shape, rank));
            return Shape.Of([.. extents.Select(static extent => checked((int)extent))]);
        }
        finally
        {
            Release(ReleaseTensorTypeAndShapeInfoPlace, info);
        }
    }

    public void ReleaseEnvironment(nint environment) => Release(ReleaseEnvPlace, environment);

    public void ReleaseMemory(nint memory) => Release(ReleaseMemoryInfoPlace, memory);

    public void ReleaseSession(nint session) => Release(ReleaseSessionPlace, session);

    public void ReleaseValue(nint value) => Release(ReleaseValuePlace, value);

    public void ReleaseOptions(nint options) => Release(ReleaseSessionOptionsPlace, options);

    private void Release(int place, nint handle) => ((delegate* unmanaged<nint, void>)_table[place])(handle);

    private void Check(nint status)
    {
        if (status == 0)
            return;
        string message =
            Marshal.PtrToStringUTF8(((delegate* unmanaged<nint, nint>)_table[GetErrorMessagePlace])(status)) ?? "no reason given";
        Release(ReleaseStatusPlace, status);
        throw new BadInputException($"ONNX Runtime {VersionText} refused: {message}");
    }
}
