namespace RenderFarm.Api.Requests;

/// <summary>
/// What a body may hold besides its bytes. A tree costs many times what it weighs on the wire (<c>[1,1,1,…]</c> most of all), so
/// what becomes one is bounded where no real request comes near; what is long (pictures in data URLs) stays beside it, as files do.
/// </summary>
/// <param name="MaxTokens">Values, members and brackets.</param>
/// <param name="MaxTreeBytes">All of it but the long texts.</param>
internal sealed record BodyShape(int MaxTokens, long MaxTreeBytes)
{
    /// <summary>A string of more bytes is no field's but a picture's.</summary>
    public const int LongText = 256 << 10;

    /// <summary>The longest picture that fits a file, in base64, with room for the escapes that clients put into it.</summary>
    public const int LongestText = 28 << 20;

    /// <summary>Of a request nobody has sent yet: a video with everything that can be said of one has some two hundred tokens.</summary>
    public static readonly BodyShape Fields = new(4_096, 4 << 20);

    /// <summary>The fields of a video: pictures may come in data URLs.</summary>
    public static readonly BodyShape Video = Fields with { LongTexts = ["input_reference.image_url", "last_frame.image_url"] };

    /// <summary>Ten thousand values, each with a few members. Longer lists are JSON Lines, which are read line by line.</summary>
    public static readonly BodyShape Matrix = new(128 << 10, 8 << 20) { ListsOfTexts = "matrix." };

    /// <summary>A string of fewer bytes is no smaller where it lies than in the tree.</summary>
    private const int ShortText = 64;

    /// <summary>Where a long text may lie.</summary>
    public IReadOnlyList<string> LongTexts { get; init; } = [];

    /// <summary>How the names of lists begin whose texts stay in the body, to be read one by one; null where there are none.</summary>
    public string? ListsOfTexts { get; init; }

    /// <summary>Strings of more bytes may stay where they are.</summary>
    public int MayStayAbove => ListsOfTexts is null ? LongText : ShortText;
}
