using Tensorial.Kernels.Blocked;

namespace Tensorial.Execution;

/// <summary>A value of a compiled network: where its numbers lie and how long they are needed.</summary>
internal sealed class Value(string name, ElementType type, Shape shape, BlockedLayout? layout)
{
    public string Name { get; } = name;

    public ElementType Type { get; } = type;

    public Shape Shape { get; } = shape;

    /// <summary>How a blocked value is laid out; null for a plain row-major one.</summary>
    public BlockedLayout? Layout { get; private set; } = Checked(name, layout);

    /// <summary>Whether it is kept for some images at a time only (<see cref="KeepOnly"/>).</summary>
    public bool IsPassing { get; private set; }

    /// <summary>The value whose memory this one shares under another shape.</summary>
    public Value? SharesMemoryOf { get; init; }

    /// <summary>A constant, or a network input, that lies outside the arena.</summary>
    public bool IsExternal { get; init; }

    /// <summary>Position in the frame's table of tensors.</summary>
    public int Id { get; set; }

    /// <summary>The step that makes it.</summary>
    public int First { get; set; } = -1;

    /// <summary>The last step that reads it.</summary>
    public int Last { get; set; } = -1;

    /// <summary>Floats it takes in the arena.</summary>
    public int Length => Layout?.Length ?? Shape.ElementCount;

    /// <summary>Its place in the arena, in floats.</summary>
    public int Offset { get; set; } = -1;

    /// <summary>Whether the arena holds it: floats do, the few small integers of shape arithmetic have arrays of their own.</summary>
    public bool IsInArena => Type == ElementType.Float32 && !IsExternal && SharesMemoryOf is null;

    /// <summary>Keeps room for so many images, where each is read as soon as it is made.</summary>
    public void KeepOnly(int images) => (Layout, IsPassing) = (Checked(Name, Layout!.Value with { Images = images }), true);

    /// <summary>The layout, where one array holds it: no address in it then wraps.</summary>
    /// <exception cref="ShapeException">It is too large; names the value and its extents.</exception>
    private static BlockedLayout? Checked(string name, BlockedLayout? layout)
    {
        try
        {
            _ = layout?.Length;
            return layout;
        }
        catch (ShapeException error)
        {
            throw new ShapeException($"The value '{name}' is too large: {error.Message}", error);
        }
    }

    public Value Root => SharesMemoryOf?.Root ?? this;

    public override string ToString() => $"{Name} {Shape}{(Layout is null ? "" : " blocked")}";
}
