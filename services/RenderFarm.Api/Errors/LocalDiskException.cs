namespace RenderFarm.Api.Errors;

/// <summary>
/// What came in can't be kept on this host's disk. Of a kind of its own, so that nobody who reads a body takes it for the body's fault.
/// </summary>
internal sealed class LocalDiskException(IOException fault) : Exception(fault.Message, fault);
