namespace RenderFarm.Jobs;

/// <summary>An input file in the artifact store.</summary>
/// <param name="Role"><c>input_reference</c> or <c>last_frame</c>.</param>
public sealed record StoredInput(string Role, string Key, string ContentType, long SizeBytes, string Sha256);
