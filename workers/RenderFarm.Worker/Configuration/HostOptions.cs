using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;
using RenderFarm.Hosting.Folders;
using RenderFarm.Hosting.Settings;

namespace RenderFarm.Worker.Configuration;

/// <summary>Settings under <c>Models:</c>.</summary>
internal sealed class ModelsOptions : ISettings
{
    public static string Section => "Models";

    /// <summary>A folder per model, each with a <c>model.json</c>.</summary>
    [Required(ErrorMessage = "must name the folder of models.")]
    public string Directory { get; set; } = FarmHome.FromEnvironment().Models;
}

[OptionsValidator]
internal sealed partial class ModelsOptionsValidator : IValidateOptions<ModelsOptions>;

/// <summary>Settings under <c>Torch:</c>.</summary>
internal sealed class TorchOptions : ISettings, IValidatableObject
{
    public static string Section => "Torch";

    /// <summary>Folder of an existing libtorch that renderers load; empty: the one they were built with.</summary>
    public string? LibraryPath { get; set; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (!string.IsNullOrEmpty(LibraryPath) && !Directory.Exists(LibraryPath))
        {
            yield return new ValidationResult($"is '{LibraryPath}': it must name an existing folder with libtorch.", [nameof(LibraryPath)]);
        }
    }
}

[OptionsValidator]
internal sealed partial class TorchOptionsValidator : IValidateOptions<TorchOptions>;
