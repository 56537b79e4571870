using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Text.Json.Serialization;

namespace RenderFarm.Contracts.Words;

/// <summary>
/// The one way between an enum's members and the words they have on the wire, in the database and in what people read and
/// type. A word stands once, at its member, as a <see cref="JsonStringEnumMemberNameAttribute"/>; words are told apart by case.
/// </summary>
public static class Word
{
    private const DynamicallyAccessedMemberTypes Fields = DynamicallyAccessedMemberTypes.PublicFields;

    /// <summary>The word of a member.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The enum has no such member.</exception>
    public static string Of<[DynamicallyAccessedMembers(Fields)] TEnum>(TEnum value)
        where TEnum : struct, Enum =>
        Lexicon<TEnum>.Words.TryGetValue(value, out var word)
            ? word
            : throw new ArgumentOutOfRangeException(nameof(value), value, $"{typeof(TEnum).Name} has no such member");

    /// <summary>Every word of the enum, in the order of its members.</summary>
    public static IReadOnlyList<string> All<[DynamicallyAccessedMembers(Fields)] TEnum>()
        where TEnum : struct, Enum => Lexicon<TEnum>.All;

    /// <summary>The member that has this word.</summary>
    public static bool TryParse<[DynamicallyAccessedMembers(Fields)] TEnum>(string? word, out TEnum value)
        where TEnum : struct, Enum
    {
        value = default;
        return word is not null && Lexicon<TEnum>.Members.TryGetValue(word, out value);
    }

    /// <summary>The member that has this word.</summary>
    /// <exception cref="FormatException">None has it; the message says which words there are.</exception>
    public static TEnum Parse<[DynamicallyAccessedMembers(Fields)] TEnum>(string word)
        where TEnum : struct, Enum =>
        TryParse<TEnum>(word, out var value) ? value : throw new FormatException($"'{word}' is {NotOneOf<TEnum>(word)}");

    /// <summary>Why a word was refused: <c>not one of: unipc, euler, dpm++; the nearest is 'dpm++'</c>.</summary>
    public static string NotOneOf<[DynamicallyAccessedMembers(Fields)] TEnum>(string? word)
        where TEnum : struct, Enum => NotOneOf(word, All<TEnum>());

    /// <summary>The same for a choice that is no enum's.</summary>
    public static string NotOneOf(string? word, IReadOnlyCollection<string> choices)
    {
        ArgumentNullException.ThrowIfNull(choices);
        var nearest = string.IsNullOrEmpty(word) ? null : NearestName.To(word, choices);
        return $"not one of: {string.Join(", ", choices)}{(nearest is null ? "" : $"; the nearest is '{nearest}'")}";
    }

    private static class Lexicon<[DynamicallyAccessedMembers(Fields)] TEnum>
        where TEnum : struct, Enum
    {
        private static readonly (TEnum Member, string Word)[] Pairs =
        [
            .. typeof(TEnum)
                .GetFields(BindingFlags.Public | BindingFlags.Static)
                .Select(field => ((TEnum)field.GetValue(null)!, WordOf(field))),
        ];

        public static readonly Dictionary<TEnum, string> Words = Pairs.ToDictionary(pair => pair.Member, pair => pair.Word);

        public static readonly Dictionary<string, TEnum> Members = Pairs.ToDictionary(
            pair => pair.Word,
            pair => pair.Member,
            StringComparer.Ordinal
        );

        public static readonly IReadOnlyList<string> All = [.. Pairs.Select(pair => pair.Word)];

        private static string WordOf(FieldInfo member) =>
            member.GetCustomAttribute<JsonStringEnumMemberNameAttribute>()?.Name
            ?? throw new InvalidOperationException($"{typeof(TEnum).Name}.{member.Name} has no word: give it a [JsonStringEnumMemberName]");
    }
}
