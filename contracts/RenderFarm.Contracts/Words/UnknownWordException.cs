using System.Text.Json;

namespace RenderFarm.Contracts.Words;

/// <summary>JSON has something else where one of an enum's words belongs.</summary>
/// <param name="why">What it is and which words there are: <c>is 'ddim', not one of: unipc, euler</c>.</param>
public sealed class UnknownWordException(string why) : JsonException(why)
{
    public string Why { get; } = why;

    /// <summary>With the place, which the reader fills in on the way out.</summary>
    public override string Message => Path is null ? Why : $"{Path} {Why}";
}
