namespace RenderFarm.Inference.SelfTests;

/// <summary>What became of one case.</summary>
/// <param name="Right">It is right, whichever way it is done.</param>
/// <param name="Detail">A sentence with the figures.</param>
public sealed record CaseFinding(string Case, bool Right, string Detail)
{
    /// <summary>The way it is done, where there are several; null where none of them is right.</summary>
    public string? Way { get; init; }

    /// <summary>The usual way is wrong here.</summary>
    public bool UsualWayIsOff { get; init; }
}
