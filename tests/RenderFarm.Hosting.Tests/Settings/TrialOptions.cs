using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Options;
using RenderFarm.Contracts.Words;
using RenderFarm.Hosting.Settings;

namespace RenderFarm.Hosting.Tests.Settings;

/// <summary>One of everything that a setting can be.</summary>
internal sealed class TrialOptions : ISettings, IValidatableObject
{
    public static string Section => "Trial";

    [Between(0, 10, Or = "5 is usual")]
    public double Seconds { get; set; } = 5;

    public int? Most { get; set; }

    public bool On { get; set; } = true;

    public TrialKind Kind { get; set; } = TrialKind.First;

    [ListenAddress]
    public string Listen { get; set; } = "";

    [Address("http://host:1")]
    public string Server { get; set; } = "";

    public Dictionary<string, string> Words { get; set; } = [];

    public bool IsOff => !On;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Most > Seconds)
        {
            yield return new ValidationResult("must not be above Trial:Seconds.", [nameof(Most)]);
        }
    }
}

[TypeConverter(typeof(SettingWordConverter<TrialKind>))]
internal enum TrialKind
{
    [JsonStringEnumMemberName("a")]
    First,

    [JsonStringEnumMemberName("b")]
    Second,
}

[OptionsValidator]
internal sealed partial class TrialOptionsValidator : IValidateOptions<TrialOptions>;
