using System.Diagnostics.CodeAnalysis;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Hosting.Settings;

/// <summary>Words of settings before they are bound.</summary>
public static class SettingWords
{
    /// <summary>For defaults that hang on a choice, which are made before any options are read.</summary>
    /// <param name="given">The setting's text.</param>
    public static bool IsOrUnset<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicFields)] TEnum>(
        this string? given,
        TEnum word
    )
        where TEnum : struct, Enum => string.IsNullOrEmpty(given) || given == Word.Of(word);
}
