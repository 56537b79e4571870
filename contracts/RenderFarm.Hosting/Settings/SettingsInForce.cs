using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Reflection;
using System.Text.Json.Serialization;

namespace RenderFarm.Hosting.Settings;

/// <summary>One section as it was read, key by key: what a process goes by, whether it was set or is a default.</summary>
public sealed class SettingsInForce
{
    /// <summary>In place of a secret's value.</summary>
    public const string Hidden = "***";

    private SettingsInForce(IReadOnlyList<KeyValuePair<string, string>> all) => All = all;

    /// <summary>Keys as they are set (<c>Store:KeepDays</c>), with their values as text. Nothing at all is empty, a secret's too.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> All { get; }

    [RequiresUnreferencedCode(SettingsKeys.Untrimmed)]
    internal static SettingsInForce Of(string section, object options) => new([.. Members(section, options)]);

    [RequiresUnreferencedCode(SettingsKeys.Untrimmed)]
    private static IEnumerable<KeyValuePair<string, string>> Members(string path, object options) =>
        options
            .GetType()
            .GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.CanWrite)
            .OrderBy(property => property.Name, StringComparer.Ordinal)
            .SelectMany(property =>
            {
                var (key, value) = ($"{path}:{property.Name}", property.GetValue(options));
                return property.IsDefined(typeof(SecretAttribute))
                    ? [KeyValuePair.Create(key, string.IsNullOrEmpty(value?.ToString()) ? "" : Hidden)]
                    : Values(key, value);
            });

    [RequiresUnreferencedCode(SettingsKeys.Untrimmed)]
    private static IEnumerable<KeyValuePair<string, string>> Values(string key, object? value) =>
        value switch
        {
            null => [KeyValuePair.Create(key, "")],
            string text => [KeyValuePair.Create(key, text)],
            bool flag => [KeyValuePair.Create(key, flag ? "true" : "false")],
            Enum word => [KeyValuePair.Create(key, WordOf(word))],
            IFormattable number => [KeyValuePair.Create(key, number.ToString(null, CultureInfo.InvariantCulture))],
            IDictionary members => members
                .Keys.Cast<object>()
                .OrderBy(name => name.ToString(), StringComparer.Ordinal)
                .SelectMany(name => Values($"{key}:{name}", members[name])),
            IEnumerable items => items.Cast<object?>().SelectMany((item, i) => Values($"{key}:{i}", item)),
            _ => Members(key, value),
        };

    [RequiresUnreferencedCode(SettingsKeys.Untrimmed)]
    private static string WordOf(Enum member) =>
        member.GetType().GetField(member.ToString())?.GetCustomAttribute<JsonStringEnumMemberNameAttribute>()?.Name ?? member.ToString();
}
