using RenderFarm.Api.Requests;

namespace RenderFarm.Api.Batches;

/// <summary>One video of a batch as it was asked for.</summary>
/// <param name="Line">Numbered from 1.</param>
/// <param name="Read">Its fields; a line that can't be read is a refusal of that line.</param>
internal sealed record BatchLine(int Line, Func<RequestBody> Read);
