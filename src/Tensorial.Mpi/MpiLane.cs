using System.Collections.Concurrent;
using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace Tensorial.Mpi;

/// <summary>
/// Operations over one MPI communicator, one after the other. An operation is a few exchanges, between which the lane computes; all of it happens
/// on MPI's thread (<see cref="MpiThread"/>).
/// </summary>
/// <param name="library">MPI.</param>
/// <param name="communicator">MPI's handle.</param>
/// <param name="size">Ranks.</param>
internal sealed unsafe class MpiLane(MpiLibrary library, nint communicator, int size)
{
    /// <summary>Bytes up to which every rank gets all ranks' values in one exchange, and adds them up itself.</summary>
    private const int Small = 4096;

    /// <summary>Bytes of values that are on their way at once.</summary>
    private const int Piece = 1 << 24;

    private readonly ConcurrentQueue<MpiOperation> _open = new();
    private readonly nint* _request = (nint*)NativeMemory.AllocZeroed(2, (nuint)sizeof(nint));
    private MpiOperation? _current;
    private IEnumerator<bool>? _exchanges;
    private byte[] _send = [],
        _receive = [];

    /// <summary>Adds an operation, from any thread.</summary>
    public void Add(MpiOperation operation) => _open.Enqueue(operation);

    /// <summary>Whether an operation is under way or waits.</summary>
    public bool IsBusy => _current is not null || !_open.IsEmpty;

    /// <summary>Goes on as far as it can without waiting.</summary>
    /// <returns>Whether anything was done.</returns>
    public bool Advance()
    {
        bool hasMoved = false;
        while (true)
        {
            if (_current is null)
            {
                if (!_open.TryDequeue(out _current))
                    return hasMoved;
                _exchanges = _current.Exchanges(this).GetEnumerator();
            }
            else if (!library.IsDone(_request))
                return hasMoved;
            hasMoved = true;
            if (_exchanges!.MoveNext())
                continue;
            _current.Complete(null);
            (_current, _exchanges) = (null, null);
        }
    }

    /// <summary>Ends all operations because of a failure.</summary>
    public void Fail(Exception error)
    {
        _current?.Complete(error);
        _current = null;
        while (_open.TryDequeue(out MpiOperation? operation))
            operation.Complete(error);
    }

    /// <summary>Adds up values over all ranks, in the order of the ranks.</summary>
    public IEnumerable<bool> Sum<T>(Memory<T> values)
        where T : unmanaged, INumber<T>
    {
        int element = Marshal.SizeOf<T>();
        for (int first = 0; first < values.Length; first += Piece / element)
        {
            Memory<T> piece = values.Slice(first, Math.Min(Piece / element, values.Length - first));
            int length = piece.Length,
                part = length * element <= Small ? length : (length + size - 1) / size;
            Reserve((long)part * element * size);
            piece.Span.CopyTo(Of<T>(_send));
            if (part == length)
            {
                Begin(isToAll: false, _send, _receive, part * element);
                yield return true;
            }
            else
            {
                Of<T>(_send)[length..(part * size)].Clear();
                Begin(isToAll: true, _send, _receive, part * element);
                yield return true;
            }
            Add(Of<T>(_receive), part);
            if (part < length)
            {
                Begin(isToAll: false, _receive, _send, part * element);
                yield return true;
                Of<T>(_send)[..length].CopyTo(piece.Span);
            }
            else
                Of<T>(_receive)[..length].CopyTo(piece.Span);
        }
    }

    /// <summary>Copies one rank's bytes to all.</summary>
    public IEnumerable<bool> Broadcast(Memory<byte> values, int root)
    {
        for (int first = 0; first < values.Length; first += Piece)
        {
            Memory<byte> piece = values.Slice(first, Math.Min(Piece, values.Length - first));
            Reserve(piece.Length);
            piece.Span.CopyTo(_send);
            Begin(_send, piece.Length, root);
            yield return true;
            _send.AsSpan(0, piece.Length).CopyTo(piece.Span);
        }
    }

    /// <summary>Waits for all ranks.</summary>
    public IEnumerable<bool> Barrier()
    {
        BeginBarrier();
        yield return true;
    }

    /// <summary>Makes a communicator of the same ranks.</summary>
    /// <param name="made">Given MPI's handle.</param>
    public IEnumerable<bool> Duplicate(Action<nint> made)
    {
        BeginDuplicate();
        yield return true;
        made(Duplicated);
    }

    private nint Duplicated => _request[1];

    private void BeginBarrier() => library.Barrier(communicator, _request);

    private void BeginDuplicate() => library.Duplicate(communicator, _request + 1, _request);

    private void Begin(byte[] values, int bytes, int root) => library.Broadcast(communicator, Address(values), bytes, root, _request);

    private void Begin(bool isToAll, byte[] send, byte[] receive, int bytes)
    {
        if (isToAll)
            library.AllToAll(communicator, Address(send), Address(receive), bytes, _request);
        else
            library.AllGather(communicator, Address(send), Address(receive), bytes, _request);
    }

    /// <summary>Adds the parts of all ranks to the first one's.</summary>
    private void Add<T>(Span<T> received, int part)
        where T : unmanaged, INumber<T>
    {
        Span<T> sum = received[..part];
        for (int rank = 1; rank < size; rank++)
            TensorPrimitives.Add(sum, received.Slice(rank * part, part), sum);
    }

    /// <summary>Makes room for what is sent and received; pinned, so that addresses hold while MPI has them.</summary>
    private void Reserve(long bytes)
    {
        if (_send.Length >= bytes)
            return;
        _send = GC.AllocateUninitializedArray<byte>(checked((int)bytes), pinned: true);
        _receive = GC.AllocateUninitializedArray<byte>(checked((int)bytes), pinned: true);
    }

    private static Span<T> Of<T>(byte[] bytes)
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(bytes.AsSpan());

    private static void* Address(byte[] pinned) => (void*)Marshal.UnsafeAddrOfPinnedArrayElement(pinned, 0);
}
