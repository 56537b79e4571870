using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Hosting.Settings;

/// <summary>
/// The sections of the whole farm, each read by one process or by several; a file of settings is often shared by all of them.
/// </summary>
public static class SectionNames
{
    public static readonly IReadOnlyList<string> All =
    [
        "Api",
        "Artifacts",
        "Bus",
        "Dashboard",
        "Keys",
        "Logs",
        "Metrics",
        "Models",
        "Outbound",
        "Store",
        "Torch",
        "Videos",
        "Worker",
    ];

    /// <summary>
    /// Refuses a section that is nearly one of ours, such as <c>Workr:</c>. Other programs' sections are none of our business, so
    /// it has to be near, and to hold something.
    /// </summary>
    /// <exception cref="OptionsValidationException">There is one; the message names it and the one that was probably meant.</exception>
    public static void RefuseMisspelt(IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        string[] faults =
        [
            .. from section in configuration.GetChildren()
            where !All.Contains(section.Key, StringComparer.OrdinalIgnoreCase)
            let meant = Meant(section.Key)
            where meant is not null
            from setting in section.GetChildren().Take(1)
            select $"{section.Key}:{setting.Key} is no setting: did you mean {meant}:{setting.Key}?",
        ];
        if (faults.Length > 0)
        {
            throw new OptionsValidationException("", typeof(SectionNames), faults);
        }
    }

    /// <summary>Of three letters a name is near too much: <c>APP</c> is no <c>Api</c>.</summary>
    private static string? Meant(string name) =>
        name.Length < 4 ? null : NearestName.Within(name.Length < 6 ? 1 : 2, name, All);
}
