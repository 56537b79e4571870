namespace RenderFarm.Jobs.Workers;

/// <summary>A key registers an installation that is not its own.</summary>
public sealed class WrongWorkerException(string message) : Exception(message);

/// <summary>An operator has taken the worker out of the farm for good; an invitation alone brings it back.</summary>
public sealed class WorkerRevokedException(string name) : Exception($"worker '{name}' has been revoked");
