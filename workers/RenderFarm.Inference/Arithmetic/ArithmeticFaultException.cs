namespace RenderFarm.Inference.Arithmetic;

/// <summary>This processor, with this libtorch, does something wrong in every way that the engine knows.</summary>
public sealed class ArithmeticFaultException(string message) : Exception(message);
