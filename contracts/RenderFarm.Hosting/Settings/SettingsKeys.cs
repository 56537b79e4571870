using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Microsoft.Extensions.Configuration;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Hosting.Settings;

/// <summary>What is wrong with a section before its values are looked at: keys that are no settings, and text that is no number.</summary>
internal static class SettingsKeys
{
    /// <summary>Why no trimmed program reads settings.</summary>
    public const string Untrimmed = "Settings are bound to whatever properties the options have; trimming removes what no code names.";

    [RequiresUnreferencedCode(Untrimmed)]
    public static IEnumerable<string> Faults(Type options, IConfigurationSection section)
    {
        var settings = options.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.CanWrite)
            .ToDictionary(property => property.Name, property => property.PropertyType, StringComparer.OrdinalIgnoreCase);
        foreach (var given in section.GetChildren())
        {
            if (!settings.TryGetValue(given.Key, out var type))
            {
                yield return Unknown(given.Key, section.Path, settings.Keys);
            }
            else if (given.Value is { } text && !IsOfType(text, type))
            {
                yield return WordsOf(type) is { } words
                    ? $"{given.Path} is '{text}', {Word.NotOneOf(text, words)}."
                    : $"{given.Path} is '{text}': it must be {InWords(type)}";
            }
        }
    }

    private static string Unknown(string key, string section, IEnumerable<string> known) =>
        NearestName.To(key, known) is { } nearest
            ? $"{section}:{key} is no setting: did you mean {section}:{nearest}?"
            : $"{section}:{key} is no setting: remove it, or take one of {string.Join(", ", known.Order(StringComparer.Ordinal))}";

    /// <summary>By the converters that the binder itself uses; nothing at all leaves a value that may be absent so.</summary>
    [RequiresUnreferencedCode(Untrimmed)]
    private static bool IsOfType(string text, Type type)
    {
        var inner = Nullable.GetUnderlyingType(type);
        return (inner is not null && text.Length == 0)
            || !((inner ?? type).IsPrimitive || (inner ?? type).IsEnum)
            || TypeDescriptor.GetConverter(inner ?? type).IsValid(text);
    }

    /// <summary>Null where the setting is no choice of words.</summary>
    [RequiresUnreferencedCode(Untrimmed)]
    private static IReadOnlyList<string>? WordsOf(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return !type.IsEnum ? null
            : TypeDescriptor.GetConverter(type) is ISettingWords known ? known.Words
            : throw new InvalidOperationException($"{type.Name} is a setting without words: give it a SettingWordConverter");
    }

    private static string InWords(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return type == typeof(bool) ? "true or false"
            : type == typeof(double) || type == typeof(float) ? "a number"
            : "a whole number";
    }
}
