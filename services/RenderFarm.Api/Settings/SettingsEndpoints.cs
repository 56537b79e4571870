using RenderFarm.Api.Keys;
using RenderFarm.Hosting.Settings;

namespace RenderFarm.Api.Settings;

/// <summary><c>/v1/settings</c>, for administrators: what this process goes by.</summary>
internal static class SettingsEndpoints
{
    public static void MapSettings(this IEndpointRouteBuilder routes) =>
        routes
            .MapGet(
                "/v1/settings",
                (IEnumerable<SettingsInForce> sections) =>
                    new SettingList(
                        [
                            .. sections
                                .SelectMany(section => section.All)
                                .OrderBy(setting => setting.Key, StringComparer.Ordinal)
                                .Select(setting => new SettingView(setting.Key, setting.Value)),
                        ]
                    )
            )
            .RequireScope(Scopes.Admin)
            .WithTags("Settings")
            .WithSummary("The settings that the process which answers goes by, set or default; secrets are `***`");
}

/// <param name="Key">As it is set, such as <c>Store:KeepDays</c>.</param>
/// <param name="Value">As text; empty where there is none.</param>
internal sealed record SettingView(string Key, string Value);

internal sealed record SettingList(IReadOnlyList<SettingView> Data)
{
    public string Object { get; } = "settings";
}
