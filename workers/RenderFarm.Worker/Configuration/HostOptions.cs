using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;
using RenderFarm.Hosting.Folders;
using RenderFarm.Hosting.Settings;
using RenderFarm.Hosting.Torch;

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

    /// <summary>
    /// Folder of a libtorch that renderers load, such as <c>torch/lib</c> of an installed PyTorch. Empty: the one they were built with,
    /// or, where that computes on the CPU only and there are cards, a PyTorch that is found on this host.
    /// </summary>
    public string? LibraryPath { get; set; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (!string.IsNullOrEmpty(LibraryPath) && WhyNot(LibraryPath) is { } reason)
        {
            yield return new ValidationResult($"is '{LibraryPath}': {reason}", [nameof(LibraryPath)]);
        }
    }

    private static string? WhyNot(string folder)
    {
        try
        {
            if (LibTorchFolder.Of(folder) is not { } found)
            {
                return "it must name an existing folder with libtorch_cpu.so, such as torch/lib of an installed PyTorch.";
            }

            found.Require();
            return null;
        }
        catch (LibTorchException fault)
        {
            return $"{fault.Message}.";
        }
    }
}

[OptionsValidator]
internal sealed partial class TorchOptionsValidator : IValidateOptions<TorchOptions>;
