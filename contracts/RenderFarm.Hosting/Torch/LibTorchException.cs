namespace RenderFarm.Hosting.Torch;

/// <summary>There is no libtorch that this process could use, or more than one; says which, and what to do.</summary>
public sealed class LibTorchException(string message) : Exception(message);
