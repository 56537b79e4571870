using System.Buffers;
using RenderFarm.Api.Errors;
using RenderFarm.Api.Requests;
using RenderFarm.Jobs.Keys;

namespace RenderFarm.Api.Keys;

/// <summary>A key's <c>class</c>: a word that figures are told apart by, and of which there are few.</summary>
internal static class KeyClass
{
    private const int Longest = 32;
    private static readonly SearchValues<char> Letters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789_-");

    public static string? Read(FieldReader fields)
    {
        var word = fields.Text("class", Longest, mayBeEmpty: false);
        return word is null || word.AsSpan().IndexOfAnyExcept(Letters) < 0
            ? word
            : throw fields.Invalid("class", "must be of small letters, digits, '_' and '-'");
    }

    public static ApiError TooMany(IReadOnlyList<string> classes) =>
        ApiError.InvalidValue(
            "class",
            $"'class' would be one too many: keys may have {ApiKeys.MostClasses} classes in all. There are {string.Join(", ", classes)}."
        );
}
