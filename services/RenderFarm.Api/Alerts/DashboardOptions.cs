using Microsoft.Extensions.Options;
using RenderFarm.Hosting.Settings;

namespace RenderFarm.Api.Alerts;

/// <summary>Settings under <c>Dashboard:</c>: what watches the farm, as the page shows it.</summary>
internal sealed class DashboardOptions : ISettings
{
    public static string Section => "Dashboard";

    /// <summary>Where browsers reach Grafana: the page's links to it. Empty: none.</summary>
    [Address("https://grafana.example.org")]
    public string GrafanaUrl { get; set; } = "";

    /// <summary>Where the API reaches Alertmanager, which it asks for what fires. Empty: nobody is asked.</summary>
    [Address("http://alertmanager:9093")]
    public string AlertmanagerUrl { get; set; } = "";
}

[OptionsValidator]
internal sealed partial class DashboardOptionsValidator : IValidateOptions<DashboardOptions>;
