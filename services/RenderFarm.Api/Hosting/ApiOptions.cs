using Microsoft.Extensions.Options;
using RenderFarm.Hosting.Settings;

namespace RenderFarm.Api.Hosting;

/// <summary>Settings under <c>Api:</c>.</summary>
internal sealed class ApiOptions : ISettings
{
    public static string Section => "Api";

    /// <summary>Where the public interface and <c>/worker/v1</c> listen.</summary>
    [ListenAddress]
    public string Url { get; set; } = "http://127.0.0.1:8080";
}

[OptionsValidator]
internal sealed partial class ApiOptionsValidator : IValidateOptions<ApiOptions>;
