using System.Collections;
using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Reflection;

namespace RenderFarm.Hosting.Settings;

/// <summary>What a process runs with: every setting of every section that it has read, with its default where nobody set it.</summary>
/// <param name="sections">As they were registered.</param>
[RequiresUnreferencedCode(SettingsKeys.Untrimmed)]
public sealed class SettingsInForce(IEnumerable<SettingsSection> sections)
{
    /// <summary>In place of a secret that is set.</summary>
    public const string Hidden = "***";

    /// <summary>By section, and in it as its options have them.</summary>
    public IReadOnlyList<SettingInForce> All =>
        [.. sections.OrderBy(section => section.Name, StringComparer.Ordinal).SelectMany(section => Of(section.Name, section.Options))];

    private static IEnumerable<SettingInForce> Of(string path, object options) =>
        options
            .GetType()
            .GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.CanWrite)
            .SelectMany(property =>
                Of($"{path}:{property.Name}", property.GetValue(options), property.IsDefined(typeof(SecretAttribute)))
            );

    private static IEnumerable<SettingInForce> Of(string key, object? value, bool isSecret) =>
        (value, isSecret) switch
        {
            (null or "", _) => [new SettingInForce(key, null)],
            (_, true) => [new SettingInForce(key, Hidden)],
            (string text, _) => [new SettingInForce(key, text)],
            (bool flag, _) => [new SettingInForce(key, flag ? "true" : "false")],
            (IDictionary { Count: > 0 } map, _) => map.Keys.Cast<object>()
                .SelectMany(name => Of($"{key}:{name}", map[name], false)),
            (IList { Count: > 0 } list, _) => list.Cast<object>().SelectMany((item, i) => Of($"{key}:{i}", item, false)),
            (IEnumerable, _) => [new SettingInForce(key, null)],
            _ when TextOf(value) is { } text => [new SettingInForce(key, text)],
            _ => Of(key, value),
        };

    /// <summary>Null for a value that has settings of its own.</summary>
    private static string? TextOf(object value) =>
        TypeDescriptor.GetConverter(value.GetType()) is var converter
        && converter.CanConvertTo(typeof(string))
        && converter.CanConvertFrom(typeof(string))
            ? converter.ConvertToString(null, CultureInfo.InvariantCulture, value)
            : null;
}

/// <param name="Options">What was read.</param>
public sealed record SettingsSection(string Name, object Options);

/// <param name="Key">As it is set: <c>Section:Name</c>.</param>
/// <param name="Value">Null where it is empty; <see cref="SettingsInForce.Hidden"/> for a secret.</param>
public sealed record SettingInForce(string Key, string? Value);
