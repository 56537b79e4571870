using System.Globalization;
using RenderFarm.Api.Requests;

namespace RenderFarm.Api.Workers;

/// <summary>
/// What a worker is called and says of itself: read in terminals by people who decide by it, so it is one line and holds nothing that a
/// terminal obeys or that turns other text around.
/// </summary>
internal static class WorkerLabel
{
    public const int Longest = 100;

    private static readonly string Form = string.Create(
        CultureInfo.InvariantCulture,
        $"must be one line of 1 to {Longest} characters, without control and formatting characters"
    );

    /// <summary>Of a worker's own record.</summary>
    public static void Require(string text, string field) => WorkerClaims.Refuse(!IsGood(text), field, Form);

    /// <summary>Of an operator's request; null where the field is.</summary>
    public static string? Read(FieldReader fields, string field)
    {
        var text = fields.Text(field, Longest, mayBeEmpty: false);
        return text is null || IsGood(text) ? text : throw fields.Invalid(field, Form);
    }

    private static bool IsGood(string text) => text.Length <= Longest && !string.IsNullOrWhiteSpace(text) && text.All(IsPlain);

    private static bool IsPlain(char letter) =>
        char.GetUnicodeCategory(letter)
            is not (
                UnicodeCategory.Control
                or UnicodeCategory.Format
                or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator
            );
}
