namespace RenderFarm.Jobs.Workers;

/// <summary>
/// Two workers say that they are the same installation: a data directory was copied with the identity in it. The one that was there
/// goes on; one that was killed is followed at once from its own place, and from elsewhere when it counts as gone.
/// </summary>
/// <param name="goneIn">How long the other has to be silent until it counts as gone.</param>
public sealed class IdentityInUseException(string name, string host, TimeSpan goneIn)
    : Exception($"the identity of this worker is that of worker '{name}' on host {host}, which is at work")
{
    public string Name { get; } = name;
    public string Host { get; } = host;
    public TimeSpan GoneIn { get; } = goneIn;
}
