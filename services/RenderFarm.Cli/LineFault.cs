namespace RenderFarm.Cli;

/// <summary>What is wrong with one line of a refused batch.</summary>
internal sealed record LineFault(int Line, string Code, string? Param, string Message);
