namespace Tensorial;

/// <summary>
/// Input that cannot be used: a malformed file, an impossible shape, a value out of range. The message names the thing at fault.
/// </summary>
public class BadInputException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Extents that do not fit together. The message names the operands and both sizes.</summary>
public sealed class ShapeException(string message, Exception? inner = null) : BadInputException(message, inner);

/// <summary>Valid input that asks for something this library does not do, such as an operator without an implementation.</summary>
public sealed class UnsupportedException(string message) : BadInputException(message);

/// <summary>A computation that broke down: non-finite values, an iteration that did not converge.</summary>
public sealed class NumericalException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>A goal that was asked for and not met: a budget, an accuracy gate, a verification.</summary>
public sealed class GoalNotMetException(string message) : Exception(message);
