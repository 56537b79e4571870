namespace RenderFarm.EndToEnd.Tests;

/// <summary>What the stories ask for.</summary>
public static class Requests
{
    /// <summary>A second or two on one core.</summary>
    public static Dictionary<string, object> Quick(long seed = 7) =>
        new()
        {
            ["model"] = "tiny",
            ["prompt"] = "a red ball rolls to the right",
            ["size"] = "64x48",
            ["frames"] = 9,
            ["fps"] = 8,
            ["steps"] = 4,
            ["seed"] = seed,
        };

    /// <summary>Long enough to be met in the middle of its denoising.</summary>
    public static Dictionary<string, object> Slow(long seed = 7) =>
        new()
        {
            ["model"] = "small",
            ["prompt"] = "a red ball rolls to the right",
            ["size"] = "256x160",
            ["frames"] = 17,
            ["fps"] = 8,
            ["steps"] = 40,
            ["seed"] = seed,
        };
}
